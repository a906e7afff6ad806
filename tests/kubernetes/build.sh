#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes what a cluster of one node consists of, and prints the directory in the cache that has it: build.sh
#
# kubelet and kube-apiserver are compiled from Debian's source package, which takes ten minutes of processor time; etcd and
# kubectl come out of Debian's packages, as the compiler does. Nothing of all that is installed. The machine's own apt says where
# Debian is; bookworm is the last suite that has this source whole, so a machine with another one must know bookworm, too.
# shellcheck source-path=SCRIPTDIR source=../../package/lib.sh
. "$(dirname "$0")/../../package/lib.sh"

SUITE=bookworm
PROGRAMS=(kubelet kube-apiserver kubectl etcd)
# Of Debian: the compiler, and what is not compiled here.
PACKAGES=(golang-1.19-go golang-1.19-src etcd-server kubernetes-client)
CACHE=$DKVM_CACHE/kubernetes

# apt of our own: it knows Debian's sources, too, and its lists are not the machine's.
private_apt() { apt-get -q -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$work/lists" -o APT::Sandbox::User=root "$@"; }

# Where the machine gets bookworm from, with the keys that it names for that.
write_sources() {
    # shellcheck disable=SC2016 # apt's own fields
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(SIGNED_BY)' 'Created-By: Packages' 'Origin: Debian' "Codename: $1" |
        while read -r uri release component key; do
            # apt leaves a field as it is that has no value.
            case $key in
                /*) key="[signed-by=$key] " ;;
                *) key='' ;;
            esac
            printf 'deb %s%s %s %s\ndeb-src %s%s %s %s\n' "$key" "$uri" "$release" "$component" "$key" "$uri" "$release" "$component"
        done | sort -u
}

fetch() {
    mkdir -p "$work/lists/partial" "$work/debs"
    { write_sources "$SUITE" && write_sources "$SUITE-security" && write_sources "$SUITE-updates"; } >"$work/sources.list"
    [ -s "$work/sources.list" ] || {
        printf '%s\n' "Kubernetes can not be built here: apt knows no Debian $SUITE (or was never updated); add it, and run \"apt-get update\""
        return 1
    }
    private_apt update
    (cd "$work/debs" && private_apt download "${PACKAGES[@]}")
    (cd "$work" && private_apt --download-only source "kubernetes/$SUITE")
    local deb
    for deb in "$work"/debs/*.deb; do
        dpkg-deb -x "$deb" "$work/root"
    done
    dpkg-source --no-check -x "$work"/kubernetes_*.dsc "$work/source"
}

# go_tool COMMAND…: on one processor, behind all others.
go_tool() { nice -n 15 go "$@"; }

# definitions: the description of the API, which is the one part of the source that is generated and not in the package.
definitions() {
    local packages
    packages=$(grep -RlE --include='*.go' '\+k8s:openapi-gen=true' pkg cmd vendor/k8s.io |
        grep -vE '/(code-generator|sample-apiserver|sample-controller|kube-openapi|gengo)/|_test.go$|/testing/' |
        xargs -n1 dirname | sort -u | sed 's#^#k8s.io/kubernetes/#' | paste -sd,)
    go_tool run k8s.io/kubernetes/vendor/k8s.io/kube-openapi/cmd/openapi-gen --logtostderr -i "$packages" -r "$work/violations" \
        -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt
}

compile() {
    local root=$work/root/usr/lib/go-1.19 version flags program
    version=v$(sed -n 's/^Version: .*really\([0-9.]*\)-.*/\1/p' "$work"/kubernetes_*.dsc)
    flags="-s -w -X k8s.io/kubernetes/vendor/k8s.io/component-base/version.gitVersion=$version"
    mkdir -p "$work/go/src/k8s.io" "$work/result"
    ln -sfn "$work/source" "$work/go/src/k8s.io/kubernetes"
    export GOROOT=$root GOPATH=$work/go GOCACHE=$work/objects GO111MODULE=off GOFLAGS=-p=1 GOMAXPROCS=1 PATH=$root/bin:$PATH HOME=$work
    cd "$work/go/src/k8s.io/kubernetes"
    definitions
    for program in kubelet kube-apiserver; do
        go_tool build -o "$work/result/$program" -ldflags "$flags" "k8s.io/kubernetes/cmd/$program"
    done
    cp "$work/root/usr/bin/etcd" "$work/root/usr/bin/kubectl" "$work/result/"
}

make_entry() {
    work=$1.making
    rm -rf "$work"
    mkdir -p "$work"
    say '    fetching the sources and the compiler of Debian' >&2
    logged "$1.log" fetch
    say '    compiling kubelet and kube-apiserver: ten minutes and longer' >&2
    logged "$1.build.log" compile
    local program
    for program in "${PROGRAMS[@]}"; do
        [ -x "$work/result/$program" ] || die "\"$program\" was not built: $1.build.log says why"
    done
    mv "$work/result" "$1"
    chmod -R u+w "$work"
    rm -rf "$work"
}

main() {
    local entry command
    for command in dpkg-source:dpkg-dev gcc:gcc xargs:findutils; do
        command -v "${command%:*}" >/dev/null || die "\"${command%:*}\" is missing: apt-get install ${command#*:}"
    done
    entry=$CACHE/$SUITE-$(key_of "$0")
    if [ ! -d "$entry" ]; then
        locked kubernetes >&2
        [ -d "$entry" ] || make_entry "$entry"
    fi
    say "$entry"
}

main
