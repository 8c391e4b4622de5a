package org.hypergraft.vmm.cpu.interpret;

import java.lang.invoke.MethodHandles;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Makes op classes by filling the holes of templates.
 *
 * <p>An interpreter wants one final class per op form, so that the JVM compiles each form to tight
 * code; there are about a thousand. They are derived at run time, when first needed, from a few
 * dozen compiled templates: the calls to {@link Hole} are redirected to the static methods that
 * read operands and do the work, and the result is defined as a hidden class.
 *
 * <p>Thread-safe; op classes are shared by all machines in the process.
 */
final class OpFactory {
  private static final MethodHandles.Lookup LOOKUP = MethodHandles.lookup();
  private static final ConcurrentHashMap<Long, Op> PROTOTYPES = new ConcurrentHashMap<>();
  private static final TemplateClass[] TEMPLATES = new TemplateClass[Template.values().length];

  private OpFactory() {}

  /**
   * A new op.
   *
   * @param target the method for the template's main hole
   * @param access operand access as packed by {@link Access}
   */
  static Op make(Template template, Target target, int access) {
    long key = ((long) target.id << 8 | template.ordinal()) << Access.BITS | access;
    Op prototype = PROTOTYPES.get(key);
    if (prototype == null) {
      prototype = PROTOTYPES.computeIfAbsent(key, k -> prototype(template, target, access));
    }
    return prototype.fresh();
  }

  /** Op classes defined so far in this process. */
  static int classes() {
    return PROTOTYPES.size();
  }

  private static Op prototype(Template template, Target target, int access) {
    byte[] bytes = template(template).fill(target, access);
    try {
      Class<?> type = LOOKUP.defineHiddenClass(bytes, true).lookupClass();
      return (Op) type.getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("cannot define op " + template + " for " + target.method, e);
    }
  }

  private static synchronized TemplateClass template(Template template) {
    int i = template.ordinal();
    if (TEMPLATES[i] == null) {
      TEMPLATES[i] = TemplateClass.read(template.type);
    }
    return TEMPLATES[i];
  }
}
