package org.hypergraft.vmm.cpu.interpret;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The class file of a template, taken apart as far as needed to redirect its calls to {@link Hole}:
 * the constant pool (JVM specification, 4.4).
 */
final class TemplateClass {
  private static final int UTF8 = 1;
  private static final int CLASS = 7;
  private static final int METHOD_REF = 10;
  private static final int NAME_AND_TYPE = 12;
  private static final String HOLE = Hole.class.getName().replace('.', '/');
  private static final String ACCESS = Access.class.getName().replace('.', '/');
  private static final String STACK = Stack.class.getName().replace('.', '/');

  /** Where the constant pool's entry count stands, JVM specification 4.1. */
  private static final int COUNT_AT = 8;

  /** A call to a hole: where its Methodref stands, its name and the index of its descriptor. */
  private record Call(int at, String hole, int descriptor) {}

  private final byte[] bytes;
  private final int poolEnd;
  private final int poolCount;
  private final String name;

  /** Where the Class entry for the template itself stands. */
  private final int thisClassAt;

  private final List<Call> calls = new ArrayList<>();

  static TemplateClass read(Class<?> type) {
    String file = type.getName().substring(type.getPackageName().length() + 1) + ".class";
    try (InputStream in = type.getResourceAsStream(file)) {
      if (in == null) {
        throw new LinkageError("class file of template " + type.getName() + " not found");
      }
      return new TemplateClass(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private TemplateClass(byte[] bytes) {
    this.bytes = bytes;
    ByteBuffer b = ByteBuffer.wrap(bytes);
    poolCount = u16(COUNT_AT);
    int[] at = new int[poolCount];
    int p = COUNT_AT + 2;
    for (int i = 1; i < poolCount; i++) {
      at[i] = p;
      int tag = b.get(p);
      p += 1 + entrySize(tag, p);
      if (tag == 5 || tag == 6) {
        i++; // long and double constants take two indices
      }
    }
    poolEnd = p;
    for (int i = 1; i < poolCount; i++) {
      int entry = at[i];
      if (entry == 0 || bytes[entry] != METHOD_REF) {
        continue;
      }
      String owner = utf8(at[u16(at[u16(entry + 1)] + 1)]);
      if (owner.equals(HOLE)) {
        int nameAndType = at[u16(entry + 3)];
        calls.add(new Call(entry, utf8(at[u16(nameAndType + 1)]), u16(nameAndType + 3)));
      }
    }
    thisClassAt = at[u16(poolEnd + 2)];
    name = utf8(at[u16(thisClassAt + 1)]);
  }

  private int u16(int at) {
    return (bytes[at] & 0xff) << 8 | (bytes[at + 1] & 0xff);
  }

  private String utf8(int at) {
    return new String(bytes, at + 3, u16(at + 1), java.nio.charset.StandardCharsets.UTF_8);
  }

  /** Size of a constant pool entry after its tag, JVM specification 4.4. */
  private int entrySize(int tag, int at) {
    switch (tag) {
      case UTF8:
        return 2 + u16(at + 1);
      case CLASS:
      case 8:
      case 16:
      case 19:
      case 20:
        return 2;
      case 15:
        return 3;
      case 5:
      case 6:
        return 8;
      default:
        return 4;
    }
  }

  /** A class file with every hole filled. */
  byte[] fill(Target target, int access) {
    ByteArrayOutputStream appended = new ByteArrayOutputStream();
    byte[] head = java.util.Arrays.copyOf(bytes, poolEnd);
    int next = poolCount;
    try (DataOutputStream out = new DataOutputStream(appended)) {
      for (Call call : calls) {
        String owner = target.owner;
        String method = target.method;
        if (call.hole.equals("push") || call.hole.equals("pop")) {
          owner = STACK;
          method = call.hole + Stack.NAMES[access >> Access.STACK_SHIFT & 7];
        } else if (isAccess(call.hole)) {
          owner = ACCESS;
          method = Access.method(call.hole, access);
        }
        putUtf8(out, owner);
        out.writeByte(CLASS);
        out.writeShort(next);
        putUtf8(out, method);
        out.writeByte(NAME_AND_TYPE);
        out.writeShort(next + 2);
        out.writeShort(call.descriptor);
        put16(head, call.at + 1, next + 1);
        put16(head, call.at + 3, next + 3);
        next += 4;
      }
      // a telling name, for profiles and stack traces
      putUtf8(out, name + (target.method.isEmpty() ? "" : "_" + target.method));
      put16(head, thisClassAt + 1, next);
      next++;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    put16(head, COUNT_AT, next);
    byte[] middle = appended.toByteArray();
    return ByteBuffer.allocate(bytes.length + middle.length)
        .put(head)
        .put(middle)
        .put(bytes, poolEnd, bytes.length - poolEnd)
        .array();
  }

  private static boolean isAccess(String hole) {
    switch (hole) {
      case "getS":
      case "getT":
      case "put":
      case "address":
      case "load":
      case "loadForUpdate":
      case "store":
        return true;
      default:
        return false;
    }
  }

  private static void putUtf8(DataOutputStream out, String s) throws IOException {
    out.writeByte(UTF8);
    out.writeUTF(s);
  }

  private static void put16(byte[] to, int at, int v) {
    to[at] = (byte) (v >> 8);
    to[at + 1] = (byte) v;
  }
}
