package org.hypergraft.annotator.image;

import java.util.function.Supplier;

/** A value computed once, when first asked for; an exception is not remembered. */
final class Lazy<T> {
  private final Supplier<T> source;
  private volatile T value;

  Lazy(Supplier<T> source) {
    this.source = source;
  }

  T get() {
    T v = value;
    if (v == null) {
      synchronized (this) {
        v = value;
        if (v == null) {
          v = source.get();
          value = v;
        }
      }
    }
    return v;
  }
}
