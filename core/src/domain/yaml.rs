//! YAML from outside: size- and depth-limited reading.
