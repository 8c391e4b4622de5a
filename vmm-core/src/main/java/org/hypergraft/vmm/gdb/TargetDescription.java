package org.hypergraft.vmm.gdb;

import java.util.List;
import java.util.Map;

/** The target description that tells gdb which registers there are (GDB manual, appendix G). */
final class TargetDescription {
  private static final Map<RegisterFile.Feature, String> TYPES =
      Map.of(
          RegisterFile.Feature.CORE,
          flags(
              "i386_eflags",
              List.of(
                  "CF", "", "PF", "", "AF", "", "ZF", "SF", "TF", "IF", "DF", "OF", "", "", "NT",
                  "", "RF", "VM", "AC", "VIF", "VIP", "ID")),
          RegisterFile.Feature.SSE,
          vectors()
              + flags(
                  "i386_mxcsr",
                  List.of(
                      "IE", "DE", "ZE", "OE", "UE", "PE", "DAZ", "IM", "DM", "ZM", "OM", "UM", "PM",
                      "", "", "FZ")));

  private TargetDescription() {}

  /** The XML document. */
  static String of(RegisterFile file) {
    StringBuilder xml = new StringBuilder("<?xml version=\"1.0\"?>\n");
    xml.append("<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target>\n");
    xml.append("<architecture>").append(file.wide() ? "i386:x86-64" : "i386");
    xml.append("</architecture>\n");
    RegisterFile.Feature open = null;
    int number = 0;
    for (RegisterFile.Register r : file.all()) {
      if (r.feature() != open) {
        xml.append(open == null ? "" : "</feature>\n");
        open = r.feature();
        xml.append("<feature name=\"").append(open.id).append("\">\n");
        xml.append(TYPES.getOrDefault(open, ""));
      }
      xml.append(
          "<reg name=\"%s\" bitsize=\"%d\" type=\"%s\" regnum=\"%d\"%s/>\n"
              .formatted(r.name(), r.bits(), r.type(), number++, group(r)));
    }
    return xml.append("</feature>\n</target>\n").toString();
  }

  private static String group(RegisterFile.Register r) {
    return r.type().equals("int") ? " group=\"float\"" : "";
  }

  /** A type of single bits, the lowest first; nameless ones are reserved. */
  private static String flags(String id, List<String> bits) {
    StringBuilder xml = new StringBuilder("<flags id=\"" + id + "\" size=\"4\">\n");
    for (int i = 0; i < bits.size(); i++) {
      if (!bits.get(i).isEmpty()) {
        xml.append("<field name=\"%s\" start=\"%d\" end=\"%d\"/>\n".formatted(bits.get(i), i, i));
      }
    }
    return xml.append("</flags>\n").toString();
  }

  private static String vectors() {
    StringBuilder xml = new StringBuilder();
    String[][] kinds = {
      {"v4f", "ieee_single", "4"},
      {"v2d", "ieee_double", "2"},
      {"v16i8", "int8", "16"},
      {"v8i16", "int16", "8"},
      {"v4i32", "int32", "4"},
      {"v2i64", "int64", "2"}
    };
    for (String[] k : kinds) {
      xml.append("<vector id=\"%s\" type=\"%s\" count=\"%s\"/>\n".formatted(k[0], k[1], k[2]));
    }
    String[][] members = {
      {"v4_float", "v4f"},
      {"v2_double", "v2d"},
      {"v16_int8", "v16i8"},
      {"v8_int16", "v8i16"},
      {"v4_int32", "v4i32"},
      {"v2_int64", "v2i64"},
      {"uint128", "uint128"}
    };
    xml.append("<union id=\"vec128\">\n");
    for (String[] m : members) {
      xml.append("<field name=\"%s\" type=\"%s\"/>\n".formatted(m[0], m[1]));
    }
    return xml.append("</union>\n").toString();
  }
}
