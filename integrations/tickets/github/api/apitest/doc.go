// Package apitest holds requests to GitHub against GitHub's own description of its API. Tests import it, nothing else.
package apitest
