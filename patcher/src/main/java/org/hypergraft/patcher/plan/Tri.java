package org.hypergraft.patcher.plan;

/** Three-valued truth: what is not known must never decide a byte. */
enum Tri {
  NO,
  YES,
  UNKNOWN;

  static Tri of(boolean value) {
    return value ? YES : NO;
  }

  Tri not() {
    return this == UNKNOWN ? UNKNOWN : this == YES ? NO : YES;
  }

  /** Kleene's conjunction: a NO decides, whatever the other is. */
  Tri and(Tri other) {
    if (this == NO || other == NO) {
      return NO;
    }
    return this == UNKNOWN || other == UNKNOWN ? UNKNOWN : YES;
  }
}
