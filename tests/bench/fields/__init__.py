"""Fields read from made invoices by a model that errs: every value is right, or marked."""
