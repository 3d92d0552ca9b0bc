//! Pure decisions: from observed facts to a plan that can be printed, tested and compared.
