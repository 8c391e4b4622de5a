package org.hypergraft.vmm.gdb;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.model.Feature;
import org.hypergraft.vmm.machine.GuestControl;

/**
 * A debugger that is attached: answers its packets while the guest stands still. vCPUs are threads,
 * numbered from 1. All stop together and, being run in turns, all go on together.
 */
final class Session {
  /** Signal numbers of the protocol, which are gdb's own. */
  static final int SIGINT = 2;

  static final int SIGTRAP = 5;
  static final int SIGABRT = 6;

  private static final String OK = "OK";

  /** Numbers of E packets have no agreed meaning; these are errno values. */
  private static final String NO_SUCH = "E03";

  private static final String NO_MEMORY = "E0e";
  private static final String INVALID = "E16";

  private final PacketStream stream;
  private final GuestControl guest;
  private final RegisterFile registers;
  private final String description;
  private final StopPoints stops;
  private final Monitor monitor;
  private final HostFile file;

  /** vCPU that g, G, p, P, m and M are about. */
  private int selected;

  /** vCPU of a single step without a thread of its own. */
  private int stepped = -1;

  private boolean physical;
  private String lastStop;

  /** Set by a packet that ends the conversation. */
  private Resume resume;

  Session(PacketStream stream, GuestControl guest) {
    this.stream = stream;
    this.guest = guest;
    registers = new RegisterFile(guest.image().is64Bit(), guest.model().has(Feature.AVX));
    description = TargetDescription.of(registers);
    stops = new StopPoints(guest);
    monitor = new Monitor(guest);
    file = new HostFile(() -> SymbolFile.of(guest.image(), guest.kaslrOffset()));
    selected = guest.current().index;
    lastStop = stopReply(SIGTRAP, "");
  }

  StopPoints stops() {
    return stops;
  }

  PacketStream stream() {
    return stream;
  }

  private String stopReply(int signal, String reason) {
    return "T%02x%sthread:%x;".formatted(signal, reason, guest.current().index + 1);
  }

  /** Says that the guest has stopped. */
  void stopped(int signal, String reason) throws IOException {
    selected = guest.current().index;
    lastStop = stopReply(signal, reason);
    stream.send(lastStop);
  }

  /** Says that there is no guest any more. */
  void exited(int status) throws IOException {
    stream.send("W%02x".formatted(status));
  }

  /** Answers packets until one of them lets the guest go on. */
  Resume converse() throws IOException {
    resume = null;
    while (resume == null) {
      PacketStream.Event event = stream.read();
      if (event instanceof PacketStream.Closed) {
        return new Resume.Detach();
      }
      if (event instanceof PacketStream.Packet packet) {
        String reply = reply(packet);
        if (reply != null) {
          stream.send(reply);
        }
      }
    }
    return resume;
  }

  /** The reply to a packet; null for none, empty for "not supported". */
  private String reply(PacketStream.Packet packet) throws IOException {
    String text = packet.text();
    if (text.isEmpty()) {
      return "";
    }
    try {
      if (text.startsWith("vFile:")) {
        return file.answer(text.substring(6));
      }
      if (text.startsWith("X")) {
        return writeBinary(packet.data(), text);
      }
      return answer(text.charAt(0), text.substring(1));
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      return INVALID; // a packet that is none
    }
  }

  private String answer(char kind, String rest) throws IOException {
    return switch (kind) {
      case '?' -> lastStop;
      case 'g' -> Hex.of(registers.readAll(cpu()));
      case 'G' -> registers.writeAll(cpu(), Hex.bytes(rest)) ? OK : INVALID;
      case 'p' -> readRegister(rest);
      case 'P' -> writeRegister(rest);
      case 'm' -> readMemory(rest);
      case 'M' -> writeMemory(rest);
      case 'Z', 'z' -> stopPoint(kind == 'Z', rest);
      case 'H' -> select(rest);
      case 'T' -> thread(rest) >= 0 ? OK : NO_SUCH;
      case 'c' -> resumeAt(rest, new Resume.Continue());
      case 's' -> resumeAt(rest, step());
      case 'C' -> resumeAt(afterSignal(rest), new Resume.Continue());
      case 'S' -> resumeAt(afterSignal(rest), step());
      case 'D' -> {
        stream.send(OK);
        resume = new Resume.Detach();
        yield null;
      }
      case 'k' -> {
        resume = new Resume.Kill();
        yield null;
      }
      case 'v' -> verbose(rest);
      case 'q' -> query(rest);
      case 'Q' -> set(rest);
      default -> "";
    };
  }

  private Cpu cpu() {
    return guest.cpu(selected);
  }

  // ---- Registers ------------------------------------------------------------------------------

  private RegisterFile.Register register(String number) {
    long n = Hex.number(number);
    return n >= 0 && n < registers.all().size() ? registers.all().get((int) n) : null;
  }

  private String readRegister(String number) {
    RegisterFile.Register r = register(number);
    return r == null ? NO_SUCH : Hex.of(registers.read(cpu(), r));
  }

  private String writeRegister(String rest) {
    int equals = rest.indexOf('=');
    RegisterFile.Register r = register(rest.substring(0, equals));
    if (r == null) {
      return NO_SUCH;
    }
    return registers.write(cpu(), r, Hex.bytes(rest.substring(equals + 1))) ? OK : INVALID;
  }

  // ---- Memory ---------------------------------------------------------------------------------

  /** Addresses of a 32-bit guest may come sign-extended. */
  private long address(String digits) {
    long a = Hex.number(digits);
    return registers.wide() ? a : a & 0xffff_ffffL;
  }

  private String readMemory(String rest) {
    int comma = rest.indexOf(',');
    long at = address(rest.substring(0, comma));
    long length = Hex.number(rest.substring(comma + 1));
    int n = (int) Math.min(length & Long.MAX_VALUE, PacketStream.MAX_PACKET / 2 - 4);
    byte[] found = physical ? guest.readPhysical(at, n) : guest.read(cpu(), at, n);
    return found.length == 0 && n > 0 ? NO_MEMORY : Hex.of(found);
  }

  private String writeMemory(String rest) {
    int comma = rest.indexOf(',');
    int colon = rest.indexOf(':');
    byte[] data = Hex.bytes(rest.substring(colon + 1));
    return write(rest.substring(0, comma), rest.substring(comma + 1, colon), data);
  }

  private String writeBinary(byte[] packet, String text) {
    int comma = text.indexOf(',');
    int colon = text.indexOf(':');
    byte[] data = Arrays.copyOfRange(packet, colon + 1, packet.length);
    return write(text.substring(1, comma), text.substring(comma + 1, colon), data);
  }

  private String write(String where, String length, byte[] data) {
    if (Hex.number(length) != data.length) {
      return INVALID;
    }
    long at = address(where);
    boolean done = physical ? guest.writePhysical(at, data) : guest.write(cpu(), at, data);
    return done ? OK : NO_MEMORY;
  }

  // ---- Stops ----------------------------------------------------------------------------------

  private String stopPoint(boolean insert, String rest) {
    String[] parts = rest.split("[,;]");
    int type = rest.charAt(0) - '0';
    if (type < StopPoints.SOFTWARE || type > StopPoints.ACCESS || rest.charAt(1) != ',') {
      return "";
    }
    long at = address(parts[1]);
    long length = Hex.number(parts[2]);
    if (!insert) {
      stops.remove(type, at, length);
      return OK;
    }
    return stops.insert(type, at, length) ? OK : INVALID;
  }

  // ---- Threads --------------------------------------------------------------------------------

  /** Index of the vCPU with a thread id, or -1; 0 and -1 mean any. */
  private int thread(String id) {
    if (id.startsWith("-")) {
      return guest.current().index;
    }
    long n = Hex.number(id);
    if (n == 0) {
      return guest.current().index;
    }
    return n >= 1 && n <= guest.cpus() ? (int) n - 1 : -1;
  }

  private String select(String rest) {
    int index = thread(rest.substring(1));
    if (index < 0) {
      return NO_SUCH;
    }
    switch (rest.charAt(0)) {
      case 'g' -> selected = index;
      case 'c' -> stepped = index;
      default -> {
        return "";
      }
    }
    return OK;
  }

  private Resume step() {
    int index = stepped >= 0 ? stepped : guest.current().index;
    return new Resume.Step(index, 0, 0);
  }

  private static String afterSignal(String rest) {
    int semicolon = rest.indexOf(';');
    return semicolon < 0 ? "" : rest.substring(semicolon + 1);
  }

  private String resumeAt(String address, Resume how) {
    if (!address.isEmpty()) {
      guest.current().rip = address(address);
    }
    resume = how;
    return null;
  }

  private String verbose(String rest) throws IOException {
    if (rest.equals("Cont?")) {
      return "vCont;c;C;s;S;r";
    }
    if (rest.startsWith("Cont;")) {
      resume = continuation(rest.substring(5).split(";"));
      return null;
    }
    if (rest.startsWith("Kill")) {
      stream.send(OK);
      resume = new Resume.Kill();
      return null;
    }
    return "";
  }

  /** The first action for a thread that is to be stepped decides. */
  private Resume continuation(String[] actions) {
    for (String action : actions) {
      int colon = action.indexOf(':');
      String what = colon < 0 ? action : action.substring(0, colon);
      int index = thread(colon < 0 ? "0" : action.substring(colon + 1));
      if (index < 0) {
        throw new IllegalArgumentException(action);
      }
      switch (what.charAt(0)) {
        case 's', 'S' -> {
          return new Resume.Step(index, 0, 0);
        }
        case 'r' -> {
          int comma = what.indexOf(',');
          return new Resume.Step(
              index, address(what.substring(1, comma)), address(what.substring(comma + 1)));
        }
        case 'c', 'C' -> {}
        default -> throw new IllegalArgumentException(action);
      }
    }
    return new Resume.Continue();
  }

  // ---- Queries --------------------------------------------------------------------------------

  private String query(String rest) throws IOException {
    if (rest.startsWith("Supported")) {
      return "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;qXfer:exec-file:read+"
              .formatted(PacketStream.MAX_PACKET)
          + ";vContSupported+;swbreak+;hwbreak+";
    }
    if (rest.startsWith("Xfer:features:read:target.xml:")) {
      return part(description, rest);
    }
    if (rest.startsWith("Xfer:exec-file:read:")) {
      return part(HostFile.NAME, rest);
    }
    if (rest.startsWith("ThreadExtraInfo,")) {
      int index = thread(rest.substring(16));
      return index < 0
          ? NO_SUCH
          : Hex.of("CPU " + index + guest.rest(index).map(r -> " (" + r + ")").orElse(""));
    }
    if (rest.startsWith("Rcmd,")) {
      say(monitor.run(Hex.text(rest.substring(5)), cpu()));
      return OK;
    }
    return switch (rest) {
      case "C" -> "QC%x".formatted(guest.current().index + 1);
      case "Attached" -> "1";
      case "fThreadInfo" ->
          IntStream.rangeClosed(1, guest.cpus())
              .mapToObj(Integer::toHexString)
              .collect(Collectors.joining(",", "m", ""));
      case "sThreadInfo" -> "l";
      case "Symbol::" -> OK;
      default -> "";
    };
  }

  /** A stretch of a document, for a request that ends in {@code :offset,length}. */
  private static String part(String document, String request) {
    String[] range = request.substring(request.lastIndexOf(':') + 1).split(",");
    long offset = Hex.number(range[0]);
    long length = Hex.number(range[1]);
    if (offset < 0 || length < 0 || offset > document.length()) {
      return INVALID;
    }
    int from = (int) offset;
    int n = (int) Math.min(length, PacketStream.MAX_PACKET / 2);
    boolean last = document.length() - from <= n;
    return (last ? "l" : "m") + document.substring(from, last ? document.length() : from + n);
  }

  /** Has gdb print text, in pieces that fit into packets. */
  private void say(String text) throws IOException {
    byte[] all = text.getBytes(StandardCharsets.UTF_8);
    int piece = PacketStream.MAX_PACKET / 4;
    for (int at = 0; at < all.length; at += piece) {
      stream.send("O" + Hex.of(Arrays.copyOfRange(all, at, Math.min(all.length, at + piece))));
    }
  }

  private String set(String rest) throws IOException {
    if (rest.equals("StartNoAckMode")) {
      stream.send(OK);
      stream.noAcknowledgements();
      return null;
    }
    // QEMU's packet for the address space of m and M
    if (rest.startsWith("qemu.PhyMemMode:")) {
      physical = rest.endsWith("1");
      return OK;
    }
    return "";
  }
}
