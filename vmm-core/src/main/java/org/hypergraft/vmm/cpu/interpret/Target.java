package org.hypergraft.vmm.cpu.interpret;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A public static method that fills a template's main hole. Interned, so identity is equality. */
public final class Target {
  private static final ConcurrentHashMap<String, Target> INTERNED = new ConcurrentHashMap<>();
  private static final AtomicInteger NEXT = new AtomicInteger();

  /** For templates whose only holes are operand accesses. */
  public static final Target NONE = of(Access.class, "");

  /** Small number, unique per target. */
  final int id;

  /** JVM internal name of the class. */
  final String owner;

  final String method;

  private Target(String owner, String method) {
    this.id = NEXT.getAndIncrement();
    this.owner = owner;
    this.method = method;
  }

  public static Target of(Class<?> owner, String method) {
    return INTERNED.computeIfAbsent(
        owner.getName() + '.' + method, k -> new Target(owner.getName().replace('.', '/'), method));
  }

  /** The four methods {@code name8}, {@code name16}, {@code name32}, {@code name64}. */
  public static Target[] sizes(Class<?> owner, String name) {
    return new Target[] {
      of(owner, name + 8), of(owner, name + 16), of(owner, name + 32), of(owner, name + 64)
    };
  }
}
