//go:build tools

// Package tools pins the programs that judge our fakes from outside: Mackerel's own command line and
// agent, unmodified. Nothing here is ever linked into Rollcall; build.sh builds the two programs.
package tools

import (
	_ "github.com/mackerelio/mackerel-agent"
	_ "github.com/mackerelio/mkr"
)
