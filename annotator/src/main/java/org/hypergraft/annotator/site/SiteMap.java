package org.hypergraft.annotator.site;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.hypergraft.annotator.abi.Operation;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;

/** Every annotation table of an image, read and proved. Immutable. */
public final class SiteMap {
  private final GuestImage image;
  private final CodeMap code;
  private final Optional<ParavirtTable> paravirt;
  private final Optional<AlternativeTable> alternatives;
  private final Map<AddressTable.Kind, AddressTable> addresses =
      new EnumMap<>(AddressTable.Kind.class);
  private final Optional<StaticCallTable> staticCalls;
  private final Optional<JumpTable> jumps;
  private final Optional<PvOps> pvOps;
  private final FeatureNames features;

  private SiteMap(GuestImage image) {
    this.image = image;
    code = new CodeMap(image);
    paravirt = ParavirtTable.read(image, code);
    alternatives = AlternativeTable.read(image, code);
    for (AddressTable.Kind kind : AddressTable.Kind.values()) {
      AddressTable.read(image, code, kind).ifPresent(t -> addresses.put(kind, t));
    }
    staticCalls = StaticCallTable.read(image, code);
    jumps = JumpTable.read(image, code);
    pvOps = PvOps.find(image, code, paravirt, alternatives);
    features = new FeatureNames(image);
  }

  /**
   * Reads all tables.
   *
   * @throws ImageException when a table's layout is unknown or an entry is damaged
   */
  public static SiteMap of(GuestImage image) {
    try {
      return new SiteMap(image);
    } catch (ArithmeticException | IndexOutOfBoundsException e) {
      throw new ImageException("annotation tables reach outside the image: " + e.getMessage(), e);
    }
  }

  public GuestImage image() {
    return image;
  }

  /** The image's code. */
  public CodeMap code() {
    return code;
  }

  public Optional<ParavirtTable> paravirt() {
    return paravirt;
  }

  public Optional<AlternativeTable> alternatives() {
    return alternatives;
  }

  public Optional<AddressTable> addresses(AddressTable.Kind kind) {
    return Optional.ofNullable(addresses.get(kind));
  }

  public Optional<StaticCallTable> staticCalls() {
    return staticCalls;
  }

  public Optional<JumpTable> jumps() {
    return jumps;
  }

  public Optional<PvOps> pvOps() {
    return pvOps;
  }

  public FeatureNames features() {
    return features;
  }

  /** The tables that are there, in a fixed order. */
  public List<SiteTable> tables() {
    List<SiteTable> out = new ArrayList<>();
    paravirt.ifPresent(out::add);
    alternatives.ifPresent(out::add);
    out.addAll(addresses.values());
    staticCalls.ifPresent(out::add);
    jumps.ifPresent(out::add);
    return out;
  }

  /** Number of the paravirtual slot that the code at a site calls through, or -1. */
  public int slotCalledAt(long address, int length) {
    int at = code.offsetOf(address, length);
    if (pvOps.isEmpty() || at < 0) {
      return -1;
    }
    long pointer = IndirectCall.pointer(code.bytes(), at, length, address, image.is64Bit());
    return pointer == 0 ? -1 : pvOps.get().slotAt(pointer);
  }

  /**
   * How many paravirtual call sites are there, and how many of them are an indirect call through
   * exactly the slot that their entry names: all, in an image nobody has rewritten.
   */
  public int provenParavirtCalls() {
    int proven = 0;
    if (paravirt.isPresent()) {
      ParavirtTable t = paravirt.get();
      for (int i = 0; i < t.entries(); i++) {
        if (slotCalledAt(t.address(i), t.length(i)) == t.slot(i)) {
          proven++;
        }
      }
    } else if (alternatives.isPresent()) {
      AlternativeTable t = alternatives.get();
      for (int i = 0; i < t.entries(); i++) {
        if (t.directCall(i) && slotCalledAt(t.address(i), t.length(i)) >= 0) {
          proven++;
        }
      }
    }
    return proven;
  }

  /** Gets the place of one site. */
  @FunctionalInterface
  public interface Extents {
    void site(SiteTable table, long address, int length);
  }

  /** Gets one site: the entries {@code [from, to)} of a table, which share an address. */
  @FunctionalInterface
  private interface Groups {
    void group(SiteTable table, int from, int to, int length);
  }

  /** Gives every site of every table to {@code sink}, table by table, in table order. */
  public void forEach(Consumer<Site> sink) {
    forEachGroup(
        (table, from, to, length) -> {
          String operation =
              table instanceof AlternativeTable alt
                  ? operation(alt, from, to)
                  : operation(table, from);
          sink.accept(site(table, table.address(from), length, operation));
        });
  }

  /** As {@link #forEach}, but says no more than where sites are, which is a lot cheaper. */
  public void forEachExtent(Extents sink) {
    forEachGroup((table, from, to, length) -> sink.site(table, table.address(from), length));
  }

  private void forEachGroup(Groups sink) {
    for (SiteTable table : tables()) {
      int n = table.entries();
      for (int i = 0; i < n; ) {
        int next = i + 1;
        int length = table.length(i);
        if (table instanceof AlternativeTable alt) {
          next = alt.groupEnd(i);
          for (int j = i; j < next; j++) {
            length = Math.max(length, alt.length(j));
          }
        }
        sink.group(table, i, next, length);
        i = next;
      }
    }
  }

  private Site site(SiteTable table, long address, int length, String operation) {
    int at = code.offsetOf(address, length);
    byte[] bytes = at < 0 ? new byte[0] : Arrays.copyOfRange(image.payload(), at, at + length);
    String symbol = image.symbols().size() == 0 ? "" : image.symbols().describe(address);
    return new Site(address, length, table.name(), operation, symbol, bytes);
  }

  /** What entry {@code i} of a table other than the alternatives is for. */
  public String operation(SiteTable table, int i) {
    if (table instanceof ParavirtTable p) {
      return pvOps.map(o -> o.slot(p.slot(i)).operation()).orElse("pv_ops[" + p.slot(i) + "]");
    }
    if (table instanceof StaticCallTable s) {
      return "static_call." + keyName(s.key(i));
    }
    if (table instanceof JumpTable) {
      return "static_branch";
    }
    return switch (((AddressTable) table).kind()) {
      case SMP_LOCKS -> "lock";
      case RETPOLINE_SITES -> "indirect_branch";
      case RETURN_SITES -> "return";
      case CALL_SITES -> "call";
      case IBT_ENDBR_SEAL -> "endbr";
      case MCOUNT_LOC -> "function_entry";
    };
  }

  /**
   * What a site of the alternatives is for: the paravirtual operation when it calls through a slot
   * or overlays such a call, {@code hypercall}, or the features that decide it.
   *
   * @param from first entry of the site
   * @param to after its last entry
   */
  public String operation(AlternativeTable t, int from, int to) {
    int slot = slotCalledAt(t.address(from), t.length(from));
    if (slot >= 0) {
      return pvOps.orElseThrow().slot(slot).operation();
    }
    if (isHypercall(t, from)) {
      return Operation.HYPERCALL.id();
    }
    StringBuilder s = new StringBuilder("feature.");
    for (int i = from; i < to; i++) {
      s.append(i == from ? "" : ",")
          .append(t.not(i) ? "!" : "")
          .append(features.name(t.feature(i)));
    }
    return s.toString();
  }

  /** Whether the site's own code is VMCALL or VMMCALL, which alternatives turn into the other. */
  public boolean isHypercall(AlternativeTable t, int i) {
    int at = code.offsetOf(t.address(i), 3);
    byte[] b = image.payload();
    return t.length(i) == 3
        && at >= 0
        && b[at] == 0x0f
        && b[at + 1] == 0x01
        && (b[at + 2] == (byte) 0xc1 || b[at + 2] == (byte) 0xd9);
  }

  private String keyName(long key) {
    return image
        .symbols()
        .nearest(key)
        .filter(s -> s.address() == key && s.name().startsWith("__SCK__"))
        .map(s -> s.name().substring("__SCK__".length()))
        .orElse("0x" + Long.toHexString(key));
  }
}
