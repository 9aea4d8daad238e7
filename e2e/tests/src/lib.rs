//! Stories on the real control plane, real SDK calls and unmodified clients. Everything is in `tests/`.
