package graph

// CSS is what the pictures need, for pages that draw bare ones. It follows the reader's light or dark scheme; the shapes
// alone tell the effects apart where colours are not seen.
func CSS() string {
	return `.playbook{--paper:#fff;--ink:#1c2128;--dim:#57606a;--way:#6e7781;--frame:#8c959f;--fill:#f6f8fa;` +
		`--observe:#ddf4ff;--observe-l:#0969da;--notify:#dafbe1;--notify-l:#1a7f37;--undo:#fff8c5;--undo-l:#9a6700;--final:#ffebe9;--final-l:#cf222e;` +
		`--gate:#fff1e5;--gate-l:#bc4c00;--dark:#24292f;--light:#ffd33d;font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}` +
		`@media(prefers-color-scheme:dark){.playbook{--paper:#0d1117;--ink:#e6edf3;--dim:#9198a1;--way:#8b949e;--frame:#656c76;--fill:#161b22;` +
		`--observe:#0c2d4d;--observe-l:#4493f8;--notify:#0f2f1c;--notify-l:#3fb950;--undo:#352a08;--undo-l:#d29922;--final:#43141a;--final-l:#f85149;` +
		`--gate:#3d1d06;--gate-l:#f0883e;--dark:#010409;--light:#e3b341}}` +
		`.playbook .paper{fill:var(--paper)}.playbook text{fill:var(--ink);font-size:12px}.playbook .title{font-size:18px;font-weight:600}` +
		`.playbook .name{font-size:13px;font-weight:600}.playbook .code{font-family:ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace;font-size:11px}` +
		`.playbook .small{font-size:11px;fill:var(--dim)}.playbook .label{font-size:12px;font-weight:600;fill:var(--dim)}` +
		`.playbook .way{fill:none;stroke:var(--way);stroke-width:1.5}.playbook .around{stroke-dasharray:5 4}.playbook .tip{fill:var(--way)}.playbook .bar{fill:var(--way)}` +
		`.playbook path.if{fill:var(--fill);stroke:var(--frame);stroke-width:1.5}.playbook .shape{fill:var(--fill);stroke:var(--frame);stroke-width:1.5}` +
		`.playbook .observe .shape{fill:var(--observe);stroke:var(--observe-l)}.playbook .notify .shape{fill:var(--notify);stroke:var(--notify-l)}` +
		`.playbook .undoable .shape{fill:var(--undo);stroke:var(--undo-l)}.playbook .final .shape{fill:var(--final);stroke:var(--final-l);stroke-width:3}` +
		`.playbook .end .shape{fill:var(--ink);stroke:var(--ink)}.playbook .end text{fill:var(--paper)}` +
		`.playbook .turn{fill:none;stroke:var(--undo-l);stroke-width:2}.playbook .tip2{fill:var(--undo-l);stroke:none}` +
		`.playbook rect.frame{fill:none;stroke:var(--frame);stroke-width:1.2}.playbook rect.loop{stroke-dasharray:8 4;stroke-width:2}.playbook rect.aside{stroke-dasharray:2 4}` +
		`.playbook rect.signed{fill:none;stroke:var(--gate-l);stroke-width:2.5}.playbook rect.gate{fill:var(--gate);stroke:var(--gate-l);stroke-width:2.5}` +
		`.playbook .stripes{fill:url(#stripes)}.playbook .dark{fill:var(--dark)}.playbook .light{fill:var(--light)}` +
		`.playbook .who{font-size:14px;font-weight:700}.playbook .terms{font-size:11px}.playbook .lock{fill:var(--gate-l)}.playbook .shackle{fill:none;stroke:var(--gate-l);stroke-width:2}` +
		`.playbook circle.badge{fill:var(--paper);stroke:var(--ink);stroke-width:1.5}.playbook text.badge{font-size:13px;font-weight:700}` +
		`.playbook .is-skipped,.playbook .is-declined{opacity:.5}.playbook .is-done circle.badge{stroke:var(--notify-l)}.playbook .is-failed circle.badge,.playbook .is-stopped circle.badge{stroke:var(--final-l)}` +
		`.playbook .is-waiting circle.badge,.playbook .is-running circle.badge{stroke:var(--gate-l)}.playbook .is-running .shape,.playbook .is-waiting .shape{stroke-width:3}`
}
