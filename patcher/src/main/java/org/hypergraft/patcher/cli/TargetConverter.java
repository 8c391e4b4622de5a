package org.hypergraft.patcher.cli;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.hypergraft.patcher.plan.Target;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A target by its name. */
final class TargetConverter implements ITypeConverter<Target> {
  /** The names, for help and completion. */
  static final class Names implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      List<String> ids = Arrays.stream(Target.values()).map(Target::id).toList();
      return ids.iterator();
    }
  }

  @Override
  public Target convert(String value) {
    return Target.named(value)
        .orElseThrow(
            () ->
                new TypeConversionException(
                    "there is no target '" + value + "'; expected one of " + Target.ids()));
  }
}
