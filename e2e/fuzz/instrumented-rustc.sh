#!/bin/sh
# Cargo calls this for the crates of this workspace instead of rustc, and only for them: what they are made of is compiled as for
# any other test, and shared with it. The flags are those of cargo-fuzz that stable rustc knows: a counter for each edge, a table
# of their places, and the operands of comparisons, by which libFuzzer finds its way. One unit of code, so that no linker
# throws counters away.
exec "$@" --cfg fuzzing -Ccodegen-units=1 \
    -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares
