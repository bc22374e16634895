//! Orders of events that random runs rarely reach, delivered one by one.
