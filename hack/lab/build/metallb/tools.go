//go:build tools

// Package tools pins MetalLB, a peer that the benches measure beside Ancho.
package tools

import (
	_ "go.universe.tf/metallb/controller"
	_ "go.universe.tf/metallb/speaker"
)
