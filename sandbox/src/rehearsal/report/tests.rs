use super::report;
