package sandbox

// stageConfig is the configuration that a drill's operator would have written: every address is the sandbox's, and
// nothing else tells the product that it is not production.
const stageConfig = `mode: enforce
server: { listen: "@listen", data_dir: data }
slack:
  token: @secrets/slack-token
  app_token: @secrets/slack-app-token
  signing_secret: @secrets/slack-signing
  base_url: @slack/api/
  channel: @channel
  teams: [@team]
  apps: [@app]
github:
  base_url: @github/
  token: @secrets/github-token
  tickets: { owner: example-org, repo: incidents }
secret_stores:
  github: {}@stores
outbound: { private_networks: [127.0.0.1] }
providers:
  @provider:
    - @account
sources:
  github: { trust: act, secret: @secrets/github-hook }
  generic: { trust: act, token: @secrets/generic-token }
people:
  - { id: ana, name: Ana, slack: U0ANA }
  - { id: bo, name: Bo, slack: U0BO }
  - { id: kim, name: Kim, slack: U0KIM }
  - { id: lee, name: Lee, slack: U0LEE }
groups:
  secops: { slack_usergroup: S0SECOPS }
  secops_lead: { people: [lee] }
policy:
  undoable:
    auto_if: 'source.trust == "act" && !key.critical && reach == "key"'
    default_signoff: [{ group: secops, count: 1 }]
  final: { seats: [{ group: secops, count: 2 }], exclude: [starter, key_owner], expires: 4h, use_within: 10m }
  undo: { seats: [{ group: secops, count: 2 }], exclude: [key_owner] }
  auto_limit: { runs: 5, per: 10m }
  responders: secops
inventory: { file: inventory.yaml }
watch: @watch
`
