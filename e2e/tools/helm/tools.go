//go:build tools

// Package helm pins Helm, which renders the chart for tests and the demo. A module of its own, so that its
// dependencies and those of the Mackerel programs do not lift each other.
package helm

import (
	_ "helm.sh/helm/v4/cmd/helm"
)
