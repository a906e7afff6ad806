# SPDX-License-Identifier: Apache-2.0
# The front door of DKVM. "make help" explains each target; package/ has the scripts that do the work.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# KERNEL=dkvm: our own guest kernel (the first build takes both cores ten minutes) and Debian's; KERNEL=debian: only Debian's.
KERNEL ?= dkvm
# ARCHES=arm64: with the add-on for images of that architecture, QEMU for it and Debian's kernel.
ARCHES =
ifneq ($(filter-out arm64,$(ARCHES)),)
$(error ARCHES is "$(ARCHES)": arm64 is the only add-on)
endif
BUILD := $(CURDIR)/build
PACKAGE := $(BUILD)/package/dkvm
ADDON := $(BUILD)/package/arm64
# One engine for all: a context or a remote host of the caller's has no business here.
export DOCKER_HOST ?= unix:///var/run/docker.sock
unexport DOCKER_CONTEXT
# The host port of the demo's web server.
export PORT ?= 8080

VERSION = $(shell sed -n '/<artifactId>dkvm</ { n; s/.*<version>\(.*\)<.*/\1/p }' pom.xml)
STEP := package/step.sh
# Maven of Debian on a current JDK: it says at every start that its own libraries are old.
MVN := JAVA_HOME=$$(package/find-jdk.sh) MAVEN_OPTS="--sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED" mvn -q -Dstyle.color=never

.PHONY: help
help:
	@sed -n 's/^## //p' Makefile

## make demo        everything from nothing to running VMs: dependencies, build, package, Docker, and a few containers
# VMs come first: our own kernel, which takes ten minutes to compile, is among them if the cache or the installation has it. Else it is for "make install".
DEMO_IMAGES := hello busybox nginx
DEMO_KERNEL = $(if $(filter file,$(origin KERNEL)),$$(package/demo-kernel.sh),MODULES=no)
.PHONY: demo
demo: start-watch root
	@$(MAKE) deps DEPS=--without-tests
	@$(MAKE) up DEPS=--without-tests IMAGES='$(DEMO_IMAGES)' $(DEMO_KERNEL)
	@$(STEP) 'demo images' tests/images/build.sh --short-names $(DEMO_IMAGES)
	@package/demo.sh
	@package/step.sh --total $(BUILD)/started 'make demo'

## make test        all that "make demo" needs, the gates of "make check", and every test: C, Java, end to end
.PHONY: test
test: start-watch root deps
	@$(MAKE) check-scripts check-java-format check-c
	@$(MAKE) up ARCHES=arm64
	@$(STEP) 'test images' tests/images/build.sh --short-names
	@$(STEP) 'newer engines' tests/engines/engine.sh build
	@package/step.sh --total $(BUILD)/started 'make test, without the Java and end-to-end tests that follow,'
	@$(subst mvn -q,mvn,$(MVN)) test $(if $(TEST),-Dtest='$(TEST)')

## make check       the gates, without Docker and root: formats, warnings as errors, shellcheck, unit tests of C and Java
.PHONY: check check-scripts check-c check-java-format
check: deps
	@$(MAKE) check-scripts check-java-format check-c
	@$(STEP) 'Java: warnings, unit tests' bash -c '$(MVN) verify -DexcludedGroups=e2e'

check-java-format:
	@$(STEP) 'Java format' bash -c '$(MVN) spotless:check'

# Every script, known by its first line.
check-scripts:
	@$(STEP) 'shellcheck' bash -c 'grep -rlIE "^#!/bin/(ba)?sh|^# shellcheck shell=" --exclude-dir=build --exclude-dir=target --exclude-dir=.git . | xargs shellcheck -x'

check-c:
	@$(STEP) 'clang-format' package/check-c-format.sh native tests/fuzz/c
	@$(STEP) 'C rooms' package/check-c-rooms.sh native
	@$(STEP) 'C unit tests' package/native-programs.sh --test $(BUILD)/native

## make test-host   a chosen set of end-to-end cases on a user's host: Debian with systemd, AppArmor and an emulated KVM, in a box; BOX=sid another
BOX ?= trixie
# all, smoke, or cases by name, as in tests/host/cases.txt.
CASES ?= all
.PHONY: test-host
test-host: start-watch root deps
	@$(MAKE) deb
	@$(STEP) 'box' tests/host/host.sh build $(BOX)
	@$(STEP) 'end-to-end cases' bash -c '$(MVN) test-compile dependency:copy-dependencies -DincludeScope=test -DoutputDirectory=$(BUILD)/host/lib'
	@$(STEP) "the box's second disk" tests/host/disk.sh $(BUILD)/host $(BUILD)/dkvm_$(VERSION)_amd64.deb $(BUILD)/host/suite.disk
	@package/step.sh --total $(BUILD)/started 'make test-host, without what runs in the box,'
	@tests/host/host.sh run $(BOX) $(BUILD)/host/suite.disk 'mount -o ro,x-mount.mkdir /dev/vdb /suite && /suite/suite/tests/host/in-box.sh $(CASES)'

## make test-kubernetes  pods of a real Kubernetes (built from Debian's source, ten minutes at first), under runc and dkvm: both must agree
.PHONY: test-kubernetes
test-kubernetes: start-watch root deps
	@$(STEP) 'Kubernetes' tests/kubernetes/build.sh
	@$(MAKE) up
	@$(STEP) 'test images' tests/images/build.sh --short-names busybox pause python nginx
	@$(subst mvn -q,mvn,$(MVN)) test -Dtest='KubernetesTest,PodsTest#aContainerStartsAgainAndAgainAndLeavesNothing' -Ddkvm.e2e.kubernetes="$$(tests/kubernetes/build.sh)" \
		-Ddkvm.e2e.images=dkvm-test/busybox -Ddkvm.e2e.podRestarts=200 -Dsurefire.rerunFailingTestsCount=0

## make bench       ratios against runc and against bare QEMU, as a table and as JSON; ONLY=run,network parts of it; PEERS=runsc beside Debian's gVisor
BENCH_OPTIONS = $(if $(ONLY),--only '$(ONLY)') $(if $(PICTURES),--pictures '$(PICTURES)')
comma := ,
.PHONY: bench
bench:
	@bench/run.sh --check $(BENCH_OPTIONS)
	@$(MAKE) up
	@$(STEP) 'bench images' tests/images/build.sh hello busybox pause $(if $(filter files,$(or $(subst $(comma), ,$(ONLY)),files)),workloads)
	@$(if $(filter runsc,$(PEERS)),$(STEP) 'gVisor' bash -c 'command -v runsc >/dev/null || apt-get install -y --no-install-recommends runsc >/dev/null')
	@bench/run.sh $(BENCH_OPTIONS)

## make soak        ten small VMs at once, for five minutes of random lives and deaths (SOAK_VMS, SOAK_SECONDS, SOAK_SEED): a summary
SOAK_VMS ?= 10
SOAK_SECONDS ?= 300
SOAK_SEED ?= 4711
.PHONY: soak
soak:
	@$(MAKE) up MODULES=no
	@$(STEP) 'soak image' tests/images/build.sh busybox
	@$(subst mvn -q,mvn,$(MVN)) test -Dtest=SoakTest -Ddkvm.e2e.images=dkvm-test/busybox -Dsurefire.rerunFailingTestsCount=0 \
		-Ddkvm.e2e.soakVms=$(SOAK_VMS) -Ddkvm.e2e.soakSeconds=$(SOAK_SECONDS) -Ddkvm.e2e.soakSeed=$(SOAK_SEED)

## make soak-pods   ten pods of three containers, which are restarted at random for twenty minutes (SOAK_PODS, SOAK_SECONDS, SOAK_SEED): a summary
SOAK_PODS ?= 10
.PHONY: soak-pods
soak-pods: SOAK_SECONDS = 1200
soak-pods:
	@$(MAKE) up MODULES=no
	@$(STEP) 'soak images' tests/images/build.sh busybox pause
	@$(subst mvn -q,mvn,$(MVN)) test -Dtest=PodSoakTest -Ddkvm.e2e.images=dkvm-test/busybox -Dsurefire.rerunFailingTestsCount=0 \
		-Ddkvm.e2e.soakPods=$(SOAK_PODS) -Ddkvm.e2e.soakSeconds=$(SOAK_SECONDS) -Ddkvm.e2e.soakSeed=$(SOAK_SEED)

## make soak-clock  a VM's clock beside the host's, for an hour under load (CLOCK_SECONDS): by how much it was wrong
CLOCK_SECONDS ?= 3600
.PHONY: soak-clock
soak-clock:
	@$(MAKE) up MODULES=no
	@$(STEP) 'soak image' tests/images/build.sh tools
	@$(subst mvn -q,mvn,$(MVN)) test -Dtest='TimeTest#theClockKeepsTheTimeUnderLoad' -Ddkvm.e2e.images=dkvm-test/tools \
		-Dsurefire.rerunFailingTestsCount=0 -Ddkvm.e2e.clockSeconds=$(CLOCK_SECONDS)

## make fuzz        hostile input for every parser, ten minutes in all (FUZZ_SECONDS, TARGET='dns_fuzz'); ends at the first that breaks one
FUZZ_SECONDS ?= 600
.PHONY: fuzz
fuzz: deps
	@$(STEP) 'fuzz' tests/fuzz/fuzz.sh $(BUILD)/fuzz $(if $(REPLAY),--replay $(REPLAY),$(FUZZ_SECONDS) $(TARGET))

## make package     build/dkvm-VERSION.tar.zst: what belongs in /opt/dkvm
.PHONY: package
package:
	@$(MAKE) assembled
	@$(STEP) 'tarball' package/tarball.sh $(PACKAGE) $(BUILD)/dkvm-$(VERSION).tar.zst

## make image       dkvm/dkvm, the Docker image that installs DKVM: docker run --rm -v /opt/dkvm:/dkvm dkvm/dkvm; with arm64's add-on dkvm/dkvm:arm64
.PHONY: image
image:
	@$(MAKE) assembled ARCHES=arm64
	@$(STEP) 'Docker engine' package/docker-engine.sh start
	@$(STEP) 'image' package/image.sh $(PACKAGE)

## make deb         build/dkvm_VERSION_amd64.deb: the Debian package; build/dkvm-arm64_VERSION_amd64.deb: arm64's add-on
.PHONY: deb
deb:
	@$(MAKE) assembled ARCHES=arm64
	@$(STEP) 'Debian package' package/deb.sh $(PACKAGE) $(BUILD)

# An add-on that is installed is wanted, unless ARCHES says something.
INSTALL_ARCHES = $(if $(filter file,$(origin ARCHES)),$(shell [ ! -e /opt/dkvm/sandbox/usr/bin/qemu-system-aarch64 ] || echo arm64),$(ARCHES))
## make install     the package into /opt/dkvm, and Docker's daemon.json knows it
.PHONY: install
install:
	@$(MAKE) assembled ARCHES=$(INSTALL_ARCHES)
	@$(STEP) 'install' package/install.sh $(PACKAGE)
	@/opt/dkvm/scripts/dkvm-install-runtime.sh

## make uninstall   the package out of /opt/dkvm and of Docker's daemon.json
.PHONY: uninstall
uninstall:
	@if [ -d /opt/dkvm ]; then /opt/dkvm/scripts/dkvm-uninstall.sh; else echo 'nothing is installed in /opt/dkvm'; fi

## make pictures    the pictures of docs/ again, as SVG from docs/pictures/*.dot (Graphviz is installed where it is missing)
.PHONY: pictures
pictures:
	@command -v dot >/dev/null || $(MAKE) root
	@command -v dot >/dev/null || $(STEP) 'Graphviz' apt-get install -y -q --no-install-recommends graphviz
	@$(STEP) 'pictures' docs/pictures/draw.sh

## make clean       removes what was built here; "make clean-cache" also what is kept between builds (~/.cache/dkvm)
.PHONY: clean clean-cache
clean:
	@mkdir -p build target
	find build target -mindepth 1 -maxdepth 1 ! -name build.sh -exec rm -rf {} +
clean-cache: clean
	rm -rf "$${DKVM_CACHE:-$$HOME/.cache/dkvm}"
##
## ARCHES=arm64     make install and make package: with the add-on for images for arm64
## KERNEL=debian    skips our own guest kernel; TEST='StdioTest' one test class; DKVM_CACHE=dir another cache

# From here on what the targets above consist of.

# The modules of our own kernel are for what few need (xfs, btrfs, …): "make demo" leaves them to later targets.
MODULES ?= yes
.PHONY: start-watch deps up parts assembled engine native-programs root
start-watch:
	@mkdir -p $(BUILD) && date +%s >$(BUILD)/started

root:
	@[ "$$(id -u)" = 0 ] || { echo 'error: this needs root (packages, sandbox root, Docker): run it as root or with sudo' >&2; exit 1; }

deps:
	@$(STEP) 'dependencies' env ARCHES=$(ARCHES) package/install-deps.sh $(DEPS)
	@package/find-jdk.sh >/dev/null

# --without-tests: only what it takes to build and to run.
DEPS =

# Installed, registered, and an engine that runs. INSTALL=no: what is installed stays.
INSTALL = yes
up: root
	@$(if $(filter no,$(INSTALL)),true,$(MAKE) install)
	@$(STEP) 'Docker engine' package/docker-engine.sh start
	@/opt/dkvm/scripts/dkvm-install-runtime.sh --no-check >/dev/null

# Two at a time: the sandbox's root waits for the network, Java and C for the disk; the kernel wants both cores and comes last.
assembled: root deps
	@$(MAKE) -j2 parts
	@[ "$$(cat $(BUILD)/kernel-choice 2>/dev/null)" = $(KERNEL) ] || echo $(KERNEL) >$(BUILD)/kernel-choice
	@$(MAKE) -s $(PACKAGE)/VERSION $(if $(ARCHES),$(ADDON)/complete)
	@package/join-addon.sh $(PACKAGE) $(if $(ARCHES),$(ADDON))

parts: $(BUILD)/sandbox-root.stamp $(BUILD)/java.stamp native-programs $(BUILD)/kernel-debian.stamp
ifneq ($(ARCHES),)
parts: $(BUILD)/sandbox-root-arm64.stamp $(BUILD)/kernel-debian-arm64.stamp
endif
# Images that are wanted next: their files need no engine.
IMAGES =
ifneq ($(IMAGES),)
parts: images
endif
ifeq ($(KERNEL),dkvm)
parts: $(BUILD)/kernel-dkvm.stamp
ifeq ($(MODULES),yes)
parts: $(BUILD)/kernel-modules.stamp
endif
endif

.PHONY: images
images:
	@$(STEP) "images' files" bash -c 'tests/images/build.sh --roots $(IMAGES) >/dev/null'

$(BUILD)/sandbox-root.stamp: package/sandbox-root.sh package/lib.sh
	@$(STEP) 'sandbox root' package/sandbox-root.sh $(BUILD)/sandbox-root
	@touch $@

# After the root: it is made from the same cache.
$(BUILD)/sandbox-root-arm64.stamp: $(BUILD)/sandbox-root.stamp
	@$(STEP) "arm64's QEMU" package/sandbox-root.sh --arm64 $(BUILD)/sandbox-root-arm64
	@touch $@

$(BUILD)/java.stamp: pom.xml $(shell find runtime/src/main -type f)
	@$(STEP) 'Java' bash -c '$(MVN) package -Dmaven.test.skip=true'
	@mkdir -p $(@D) && ln -sfn ../target $(BUILD)/java && touch $@

# make knows better than a stamp what is to be done in there.
native-programs:
	@$(STEP) 'C programs' env ARCHES=$(ARCHES) package/native-programs.sh $(BUILD)/native

$(BUILD)/kernel-dkvm.stamp: kernel/build.sh kernel/common.sh kernel/dkvm.config $(wildcard kernel/*.patch)
	@$(STEP) 'guest kernel' kernel/build.sh --no-modules $(BUILD)/kernel/dkvm
	@touch $@

$(BUILD)/kernel-modules.stamp: $(BUILD)/kernel-dkvm.stamp
	@$(STEP) "guest kernel's modules" kernel/build.sh $(BUILD)/kernel/dkvm
	@touch $@

$(BUILD)/kernel-debian.stamp: kernel/debian.sh kernel/common.sh
	@$(STEP) "Debian's kernel" kernel/debian.sh $(BUILD)/kernel/debian
	@touch $@

$(BUILD)/kernel-debian-arm64.stamp: kernel/debian.sh kernel/common.sh
	@$(STEP) "Debian's kernel for arm64" kernel/debian.sh --arch arm64 $(BUILD)/kernel/debian-arm64
	@touch $@

NATIVE_FILES := $(addprefix $(BUILD)/native/,dkvm-init dkvm-exec dkvm-disk dkvm-tsc dkvm-sockets dkvm-locks dkvm-events dkvm-forward dkvm-web dkvm-exhaust dkvm-keep dkvm-rooted dkvm-files qemu-exit initramfs.cpio)

# The choice counts as well: a demo may have put Debian's kernel into the package.
$(PACKAGE)/VERSION: $(BUILD)/kernel-choice $(filter-out %-arm64.stamp,$(wildcard $(BUILD)/*.stamp)) $(wildcard $(NATIVE_FILES)) $(wildcard package/*) $(wildcard package/training/*) $(wildcard package/man/*) docs/options.md LICENSE NOTICE
	@KERNEL=$(KERNEL) $(STEP) 'package' bash -c 'JAVA_HOME=$$(package/find-jdk.sh) package/assemble.sh $(BUILD) $(PACKAGE)'
	@touch $@

# Beside the package, so that a package with the add-on and one without it are the same build.
$(ADDON)/complete: $(BUILD)/sandbox-root-arm64.stamp $(BUILD)/kernel-debian-arm64.stamp $(BUILD)/java.stamp $(wildcard $(BUILD)/native/arm64/initramfs.cpio) package/assemble.sh
	@$(STEP) "arm64's add-on" bash -c 'JAVA_HOME=$$(package/find-jdk.sh) package/assemble.sh --arm64 $(BUILD) $(ADDON)'
	@touch $@
