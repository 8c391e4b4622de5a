package org.hypergraft.annotator.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A guest kernel image: what it was wrapped in, its payload, and views on it. Immutable and safe to
 * share between threads; expensive views are computed when first asked for. All addresses are link
 * addresses, as in the ELF, before any KASLR slide.
 *
 * <p>The payload is the ELF followed by the relocation tail. Its array is shared, not copied, and
 * callers never modify it.
 */
public final class GuestImage {
  /** Larger files are refused unread: no kernel, debug information included, comes near it. */
  static final long MAX_FILE = 1L << 30;

  private static final int CHUNK = 1 << 20;

  /** Places to look for the version line before giving up; kernels have it first or second. */
  private static final int MAX_BANNERS = 1000;

  /** The build number in the version line: {@code #1 SMP}. */
  private static final Pattern NUMBERED_BUILD = Pattern.compile(" #[0-9]");

  private final String name;
  private final byte[] original;
  private final Container container;
  private final byte[] payload;
  private final Elf elf;
  private final Relocations relocations;
  private final AddressMap map;

  private final Lazy<SymbolTable> symbols = new Lazy<>(this::readSymbols);
  private final Lazy<Optional<Btf>> btf = new Lazy<>(this::readBtf);
  private final Lazy<Notes> notes = new Lazy<>(this::readNotes);
  private final Lazy<Optional<String>> banner = new Lazy<>(this::readBanner);
  private final Lazy<String> sha256 = new Lazy<>(this::hash);

  private GuestImage(String name, byte[] original, ImageParser.Parsed parsed) {
    this.name = name;
    this.original = original;
    container = parsed.container();
    payload = parsed.payload();
    elf = parsed.elf();
    relocations = parsed.relocations();
    map = new AddressMap(elf);
  }

  /**
   * Reads and recognizes a file.
   *
   * @throws IOException when it cannot be read
   * @throws ImageException when it is no image this tool can work on
   */
  public static GuestImage read(Path file) throws IOException {
    long size = Files.size(file);
    if (Files.isRegularFile(file) && size > MAX_FILE) {
      throw new ImageException(
          "%s: %d bytes, more than the limit of %d for a kernel image"
              .formatted(file, size, MAX_FILE));
    }
    return parse(content(file, size), file.toString());
  }

  /** As {@code Files.readAllBytes}, which makes Java copy a whole image outside its heap. */
  private static byte[] content(Path file, long size) throws IOException {
    if (!Files.isRegularFile(file)) {
      return Files.readAllBytes(file);
    }
    byte[] bytes = new byte[(int) size];
    int at = 0;
    try (FileChannel channel = FileChannel.open(file)) {
      while (at < bytes.length) {
        int n = channel.read(ByteBuffer.wrap(bytes, at, Math.min(CHUNK, bytes.length - at)));
        if (n < 0) {
          break;
        }
        at += n;
      }
    }
    return at == bytes.length ? bytes : Arrays.copyOf(bytes, at);
  }

  /**
   * Recognizes an image from its bytes.
   *
   * @param file the bytes, kept and not copied
   * @param name what to call it in messages
   * @throws ImageException when it is no image this tool can work on
   */
  public static GuestImage parse(byte[] file, String name) {
    try {
      return new GuestImage(name, file, ImageParser.parse(file));
    } catch (ImageException e) {
      throw e.in(name);
    }
  }

  /** What it is called in messages, usually its path. */
  public String name() {
    return name;
  }

  /** The input's bytes; shared. */
  public byte[] original() {
    return original;
  }

  public Container container() {
    return container;
  }

  /** ELF and relocation tail; shared. */
  public byte[] payload() {
    return payload;
  }

  public Elf elf() {
    return elf;
  }

  public Relocations relocations() {
    return relocations;
  }

  /** Whether this is a 64-bit kernel. */
  public boolean is64Bit() {
    return elf.bits() == 64;
  }

  /** The first section of that name. */
  public Optional<Section> section(String sectionName) {
    return elf.section(sectionName);
  }

  /** SHA-256 of the input file in lower-case hex. */
  public String sha256() {
    return sha256.get();
  }

  /** Begins to compute {@link #sha256} on another thread, for callers that need it later. */
  public void hashAhead() {
    Thread thread = new Thread(sha256::get, "image hash");
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * The symbols, from {@code .symtab} or, in a stripped kernel, from its kallsyms tables; empty
   * when the image has neither.
   *
   * @throws ImageException when such tables are there but damaged
   */
  public SymbolTable symbols() {
    return symbols.get();
  }

  /**
   * The kernel's own type information, when it carries any.
   *
   * @throws ImageException when it is damaged
   */
  public Optional<Btf> btf() {
    return btf.get();
  }

  public Notes notes() {
    return notes.get();
  }

  /** The GNU build id in lower-case hex. */
  public Optional<String> buildId() {
    return notes().buildId();
  }

  /** Linux's own version line, {@code Linux version ...}, without its newline. */
  public Optional<String> banner() {
    return banner.get();
  }

  /** Payload offset of a link address, or -1 when the file holds no byte for it. */
  public int offsetOf(long linkAddress) {
    return map.offsetOf(linkAddress, 1);
  }

  /** Link address of a payload offset, or -1 when it is not loaded. */
  public long addressOf(int payloadOffset) {
    return map.addressOf(payloadOffset);
  }

  /** Payload offset of {@code length} bytes at a link address, all in one segment. */
  public int offsetOf(long linkAddress, int length) {
    int at = map.offsetOf(linkAddress, length);
    if (at < 0 || length < 0) {
      throw new ImageException(
          "%s: %d bytes at 0x%x are not in the file's loaded segments"
              .formatted(name, length, linkAddress));
    }
    return at;
  }

  public int u8(long linkAddress) {
    return LittleEndian.u8(payload, offsetOf(linkAddress, 1));
  }

  public int u16(long linkAddress) {
    return LittleEndian.u16(payload, offsetOf(linkAddress, 2));
  }

  public int s32(long linkAddress) {
    return LittleEndian.s32(payload, offsetOf(linkAddress, 4));
  }

  public long u32(long linkAddress) {
    return LittleEndian.u32(payload, offsetOf(linkAddress, 4));
  }

  public long u64(long linkAddress) {
    return LittleEndian.u64(payload, offsetOf(linkAddress, 8));
  }

  /** A pointer-sized field: 8 bytes, or 4 zero-extended in a 32-bit kernel. */
  public long word(long linkAddress) {
    return is64Bit() ? u64(linkAddress) : u32(linkAddress);
  }

  /** A copy of the bytes at a link address. */
  public byte[] bytes(long linkAddress, int length) {
    int at = offsetOf(linkAddress, length);
    return Arrays.copyOfRange(payload, at, at + length);
  }

  private SymbolTable readSymbols() {
    try {
      SymbolTable table = ElfSymbols.read(payload, elf);
      if (table == null) {
        table = KallsymsFinder.find(payload, elf);
      }
      return table == null ? SymbolTable.empty(elf) : table;
    } catch (ImageException e) {
      throw e.in(name);
    }
  }

  private Optional<Btf> readBtf() {
    try {
      return section(".BTF").filter(Section::hasBytes).map(s -> Btf.parse(payload, s, elf));
    } catch (ImageException e) {
      throw e.in(name);
    }
  }

  private Notes readNotes() {
    try {
      return Notes.parse(payload, elf);
    } catch (ImageException e) {
      throw e.in(name);
    }
  }

  /** init/version.c keeps it in read-only data; it ends with a newline. */
  private Optional<String> readBanner() {
    byte[] start = "Linux version ".getBytes(StandardCharsets.US_ASCII);
    Optional<String> unnumbered = Optional.empty();
    for (int[] area : bannerAreas()) {
      int at = area[0] - 1;
      for (int tries = 0; tries < MAX_BANNERS; tries++) {
        at = LittleEndian.indexOf(payload, at + 1, area[1], start);
        if (at < 0) {
          break;
        }
        int end = at + start.length;
        if (end == area[1] || payload[end] < '0' || payload[end] > '9') {
          continue; // a format string
        }
        int limit = Math.min(area[1], at + 1024);
        while (end < limit && payload[end] >= ' ' && payload[end] < 0x7f) {
          end++;
        }
        if (end < limit && payload[end] == '\n') {
          String line = new String(payload, at, end - at, StandardCharsets.US_ASCII);
          if (NUMBERED_BUILD.matcher(line).find()) {
            return Optional.of(line);
          }
          // 6.1 also keeps the line of a first link, which has no build number yet.
          unnumbered = unnumbered.or(() -> Optional.of(line));
        }
      }
    }
    return unnumbered;
  }

  private List<int[]> bannerAreas() {
    int[] everything = {0, relocations.offset()};
    return section(".rodata")
        .filter(Section::hasBytes)
        .map(s -> List.of(new int[] {s.offset(), (int) (s.offset() + s.size())}, everything))
        .orElse(List.of(everything));
  }

  private String hash() {
    return Sha256.of(original);
  }

  @Override
  public String toString() {
    return name + " (" + container.label() + ", " + elf.bits() + "-bit)";
  }
}
