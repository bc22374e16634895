//! The variants: one file each. This module is the only list of them.
