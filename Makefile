# The front door. Meson and Ninja do the work; `make help` lists what there is.
.DEFAULT_GOAL := build
.PHONY: help build run journey browser pictures check check-lab check-matrix lab asan tsan fuzz bench format lint install clean

help:
	@sed -n 's/^## //p' Makefile

## make build      the packages it needs, then the program: build/src/glasshouse
build:
	@tools/packages build
	@[ -e build/build.ninja ] || meson setup build >/dev/null
	@ninja -C build

## make run        build, then a simulated cloud watched: the page on http://127.0.0.1:8090/
##                 (make run FAULTS=1 plays a story of faults)
run: build
	@build/src/glasshouse demo $(if $(FAULTS),--faults)

## make journey    build, then one customer journey on a simulated cloud, live
journey: build
	@tools/run

## make check      all tests on this machine
check:
	@tools/packages build check
	@tools/check

## make lab        install and start a real OpenStack on this machine (root, 8 GB of memory)
lab:
	@lab/cloud install
	@lab/cloud up

## make check-lab  whole-program tests against the lab
check-lab: build
	@tools/packages check lab
	@tools/check-lab

## make check-matrix  every fault of the simulated cloud at every request of `oshm`, about ten minutes
check-matrix: build
	@tools/packages check
	@tools/check-matrix

## make asan       unit tests under the address and undefined-behaviour sanitizers
## make tsan       unit tests of threads under the thread sanitizer
asan tsan:
	@tools/packages build check
	@tools/check unit

## make fuzz       every parser against random input, SECONDS=60 each
SECONDS ?= 60
fuzz:
	@tools/packages build check
	@tools/fuzz $(SECONDS)

## make browser    the pages in a real browser
browser: build
	@tools/browser

## make pictures   the pictures of docs/screenshots anew
pictures: build
	@tools/browser pictures

## make bench      speed and memory, beside the peers, in one run
bench: build
	@tools/packages check
	@tools/bench

## make format     clang-format over the tree
format:
	@tools/packages check
	@tools/format

## make lint       clang-tidy over src/
lint:
	@tools/packages build check
	@tools/lint

## make install    the program, its scenarios and its manual, below PREFIX (/usr/local)
PREFIX ?= /usr/local
install: build
	@meson configure build -Dprefix=$(PREFIX) && ninja -C build install

clean:
	rm -rf build build-*
