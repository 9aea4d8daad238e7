// Command controlplane is kube-apiserver, etcd, kube-controller-manager and kubectl in one binary,
// for tests and the demo of Rollcall. It is each program unchanged, chosen by the name it is called
// by (a symlink) or by its first argument, and started as upstream's own main functions do. Two things
// are ours: the servers end with whoever started them (lifeline.go), and etcd reserves less disk.
//
// It must never be used to run a cluster that somebody relies on: nothing here is hardened,
// upgraded or backed up.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"k8s.io/client-go/util/keyutil"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json, as upstream's binaries have it
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client metrics, as upstream's binaries have them
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

// serviceAccountKey is the one program of our own: it writes the key that signs service-account
// tokens, so that the harness needs no openssl.
const serviceAccountKey = "service-account-key"

var programs = map[string]func(){
	"etcd": func() {
		endWithParent()
		// Two segments are reserved on disk at once: 8 MB instead of 128 MB for each control plane.
		wal.SegmentSizeBytes = 4 << 20
		etcdmain.Main(os.Args)
	},
	"kube-apiserver": func() {
		endWithParent()
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	},
	"kube-controller-manager": func() {
		endWithParent()
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	},
	"kubectl": func() {
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			kubectlutil.CheckErr(err)
		}
	},
	serviceAccountKey: writeServiceAccountKey,
}

func main() {
	name := filepath.Base(os.Args[0])
	if _, known := programs[name]; !known && len(os.Args) > 1 {
		// The programs read os.Args themselves, so that the first argument becomes their name.
		os.Args = os.Args[1:]
		name = os.Args[0]
	}
	start, known := programs[name]
	if !known {
		names := make([]string, 0, len(programs))
		for known := range programs {
			names = append(names, known)
		}
		slices.Sort(names)
		fmt.Fprintf(os.Stderr, "controlplane: expected one of %v as program name or first argument, found %q\n", names, name)
		os.Exit(2)
	}
	start()
}

func writeServiceAccountKey() {
	if len(os.Args) != 2 {
		fmt.Fprintf(os.Stderr, "usage: controlplane %s FILE\n", serviceAccountKey)
		os.Exit(2)
	}
	pem, err := keyutil.MakeEllipticPrivateKeyPEM()
	if err == nil {
		err = os.WriteFile(os.Args[1], pem, 0o600)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", serviceAccountKey, err)
		os.Exit(1)
	}
}
