//! The rules of the tiers as GitHub rulesets.
