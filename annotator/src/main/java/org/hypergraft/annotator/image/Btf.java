package org.hypergraft.annotator.image;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A kernel's BPF Type Format section (Documentation/bpf/btf.rst): layouts of its structures.
 * Immutable.
 */
public final class Btf {
  private static final int MAGIC = 0xeb9f;

  /** Bytes of one struct or union member, and of the common part of a type. */
  private static final int MEMBER = 12;

  private static final int TYPE = 12;

  private static final int KIND_INT = 1;
  private static final int KIND_PTR = 2;
  private static final int KIND_ARRAY = 3;
  private static final int KIND_STRUCT = 4;
  private static final int KIND_UNION = 5;
  private static final int KIND_ENUM = 6;
  private static final int KIND_FWD = 7;
  private static final int KIND_TYPEDEF = 8;
  private static final int KIND_VOLATILE = 9;
  private static final int KIND_CONST = 10;
  private static final int KIND_RESTRICT = 11;
  private static final int KIND_FUNC = 12;
  private static final int KIND_FUNC_PROTO = 13;
  private static final int KIND_VAR = 14;
  private static final int KIND_DATASEC = 15;
  private static final int KIND_FLOAT = 16;
  private static final int KIND_DECL_TAG = 17;
  private static final int KIND_TYPE_TAG = 18;
  private static final int KIND_ENUM64 = 19;

  /** Bounds on what a hostile section could make us build. */
  private static final int MAX_DEPTH = 32;

  private static final int MAX_MEMBERS = 20_000;
  private static final int MAX_NAME = 255;

  /**
   * A member that is no structure itself.
   *
   * @param name path through named inner structures, such as {@code cpu.io_delay}; array members
   *     keep their own name
   * @param offset bytes from the start of the outermost structure
   * @param bitOffset bit within that byte, 0 but for bit fields
   * @param bitSize width of a bit field, 0 for other members
   * @param size bytes of the member, all elements of an array together
   * @param elements of an array, 1 for other members; 0 for a flexible array
   */
  public record Member(
      String name, long offset, int bitOffset, int bitSize, long size, long elements) {}

  private final byte[] b;
  private final int strings;
  private final int stringsEnd;
  private final int wordSize;

  /** Payload offset of each type; index 0 is void. */
  private final int[] types;

  private Btf(byte[] b, int strings, int stringsEnd, int wordSize, int[] types) {
    this.b = b;
    this.strings = strings;
    this.stringsEnd = stringsEnd;
    this.wordSize = wordSize;
    this.types = types;
  }

  static Btf parse(byte[] b, Section section, Elf elf) {
    int from = section.offset();
    int end = (int) (from + section.size());
    if (end - from < 24 || LittleEndian.u16(b, from) != MAGIC || b[from + 2] != 1) {
      throw new ImageException(
          ".BTF at payload byte 0x%x does not start with magic 0xeb9f, version 1".formatted(from));
    }
    long header = LittleEndian.u32(b, from + 4);
    long typeFrom = from + header + LittleEndian.u32(b, from + 8);
    long typeEnd = typeFrom + LittleEndian.u32(b, from + 12);
    long stringFrom = from + header + LittleEndian.u32(b, from + 16);
    long stringEnd = stringFrom + LittleEndian.u32(b, from + 20);
    if (header < 24 || typeEnd > end || stringEnd > end || stringFrom >= stringEnd) {
      throw new ImageException(
          ".BTF at payload byte 0x%x: types or strings do not fit into its 0x%x bytes"
              .formatted(from, section.size()));
    }
    if (b[(int) stringEnd - 1] != 0) {
      throw new ImageException(".BTF string table is not terminated");
    }
    int[] types = index(b, (int) typeFrom, (int) typeEnd);
    return new Btf(b, (int) stringFrom, (int) stringEnd, elf.wordSize(), types);
  }

  private static int[] index(byte[] b, int from, int end) {
    int[] out = new int[1 + (end - from) / 16];
    int n = 1;
    int at = from;
    while (at < end) {
      int size = end - at < TYPE ? -1 : sizeInSection(b, at);
      if (size < 0 || size > end - at) {
        throw new ImageException(
            ".BTF type %d at payload byte 0x%x is of unknown kind or cut off".formatted(n, at));
      }
      if (n == out.length) {
        out = Arrays.copyOf(out, n * 2);
      }
      out[n++] = at;
      at += size;
    }
    return Arrays.copyOf(out, n);
  }

  /** Bytes a type takes, or -1 for an unknown kind. */
  private static int sizeInSection(byte[] b, int at) {
    int info = LittleEndian.s32(b, at + 4);
    int count = info & 0xffff;
    return switch (kind(info)) {
      case KIND_INT, KIND_VAR, KIND_DECL_TAG -> TYPE + 4;
      case KIND_ARRAY -> TYPE + 12;
      case KIND_STRUCT, KIND_UNION, KIND_DATASEC, KIND_ENUM64 -> TYPE + MEMBER * count;
      case KIND_ENUM, KIND_FUNC_PROTO -> TYPE + 8 * count;
      case KIND_PTR,
          KIND_FWD,
          KIND_TYPEDEF,
          KIND_VOLATILE,
          KIND_CONST,
          KIND_RESTRICT,
          KIND_FUNC,
          KIND_FLOAT,
          KIND_TYPE_TAG ->
          TYPE;
      default -> -1;
    };
  }

  private static int kind(int info) {
    return (info >>> 24) & 0x1f;
  }

  /** Number of types, void included. */
  public int size() {
    return types.length;
  }

  /**
   * The members of a structure in declaration order; members of inner structures and unions take
   * their place, with the path as name.
   *
   * @return empty when there is no complete structure of that name
   */
  public Optional<List<Member>> structMembers(String name) {
    int id = findStruct(name);
    if (id == 0) {
      return Optional.empty();
    }
    List<Member> out = new ArrayList<>();
    flatten(id, "", 0, 0, out, new int[1]);
    return Optional.of(List.copyOf(out));
  }

  /** One member by its path; empty when structure or member is not there. */
  public Optional<Member> member(String struct, String path) {
    return structMembers(struct)
        .flatMap(members -> members.stream().filter(m -> m.name().equals(path)).findFirst());
  }

  /** Bytes of a structure. */
  public OptionalLong structSize(String name) {
    int id = findStruct(name);
    return id == 0 ? OptionalLong.empty() : OptionalLong.of(LittleEndian.u32(b, types[id] + 8));
  }

  private int findStruct(String name) {
    byte[] wanted = name.getBytes(StandardCharsets.UTF_8);
    for (int id = 1; id < types.length; id++) {
      int kind = kind(LittleEndian.s32(b, types[id] + 4));
      if ((kind == KIND_STRUCT || kind == KIND_UNION) && named(types[id], wanted)) {
        return id;
      }
    }
    return 0;
  }

  private boolean named(int at, byte[] wanted) {
    long from = strings + LittleEndian.u32(b, at);
    return from + wanted.length < stringsEnd
        && b[(int) from + wanted.length] == 0
        && Arrays.equals(b, (int) from, (int) from + wanted.length, wanted, 0, wanted.length);
  }

  private String string(int at) {
    long from = strings + LittleEndian.u32(b, at);
    if (from >= stringsEnd) {
      throw new ImageException(
          ".BTF name at payload byte 0x%x is outside its strings".formatted(at));
    }
    int end = (int) from;
    while (b[end] != 0 && end - from < MAX_NAME) {
      end++;
    }
    return new String(b, (int) from, end - (int) from, StandardCharsets.UTF_8);
  }

  private void flatten(
      int struct, String prefix, long base, int depth, List<Member> out, int[] visited) {
    int at = types[struct];
    int info = LittleEndian.s32(b, at + 4);
    boolean bitFields = info < 0; // kind_flag: offsets carry a bit-field size in their top byte
    if (depth > MAX_DEPTH) {
      throw new ImageException(
          ".BTF structures nest deeper than %d at type %d".formatted(MAX_DEPTH, struct));
    }
    for (int i = 0; i < (info & 0xffff); i++) {
      if (++visited[0] > MAX_MEMBERS) {
        throw new ImageException(".BTF structure with more than %d members".formatted(MAX_MEMBERS));
      }
      int member = at + TYPE + MEMBER * i;
      String name = string(member);
      String path = prefix.isEmpty() || name.isEmpty() ? prefix + name : prefix + "." + name;
      int type = strip(LittleEndian.s32(b, member + 4));
      int word = LittleEndian.s32(b, member + 8);
      long bits = base + (bitFields ? word & 0xff_ffffL : word & 0xffff_ffffL);
      int kind = type == 0 ? 0 : kind(LittleEndian.s32(b, types[type] + 4));
      if (kind == KIND_STRUCT || kind == KIND_UNION) {
        flatten(type, path, bits, depth + 1, out, visited);
        continue;
      }
      long elements = kind == KIND_ARRAY ? LittleEndian.u32(b, types[type] + TYPE + 8) : 1;
      out.add(
          new Member(
              path,
              bits >> 3,
              (int) (bits & 7),
              bitFields ? word >>> 24 : 0,
              sizeOf(type, 0),
              elements));
    }
  }

  /** The type behind typedefs and qualifiers. */
  private int strip(int id) {
    int at = id;
    for (int depth = 0; depth < MAX_DEPTH; depth++) {
      if (at < 0 || at >= types.length) {
        throw new ImageException(".BTF refers to type %d of %d".formatted(at, types.length));
      }
      if (at == 0) {
        return 0;
      }
      switch (kind(LittleEndian.s32(b, types[at] + 4))) {
        case KIND_TYPEDEF, KIND_VOLATILE, KIND_CONST, KIND_RESTRICT, KIND_TYPE_TAG ->
            at = LittleEndian.s32(b, types[at] + 8);
        default -> {
          return at;
        }
      }
    }
    throw new ImageException(".BTF type %d is a chain without end".formatted(id));
  }

  private long sizeOf(int id, int depth) {
    if (id == 0 || depth > MAX_DEPTH) {
      return 0;
    }
    int at = types[id];
    return switch (kind(LittleEndian.s32(b, at + 4))) {
      case KIND_INT, KIND_ENUM, KIND_ENUM64, KIND_FLOAT, KIND_STRUCT, KIND_UNION ->
          LittleEndian.u32(b, at + 8);
      case KIND_PTR -> wordSize;
      case KIND_ARRAY ->
          LittleEndian.u32(b, at + TYPE + 8)
              * sizeOf(strip(LittleEndian.s32(b, at + TYPE)), depth + 1);
      default -> 0;
    };
  }
}
