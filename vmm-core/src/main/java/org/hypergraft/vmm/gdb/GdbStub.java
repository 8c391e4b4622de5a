package org.hypergraft.vmm.gdb;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import org.hypergraft.vmm.machine.Delivery;
import org.hypergraft.vmm.machine.GuestControl;
import org.hypergraft.vmm.machine.Observer;
import org.hypergraft.vmm.machine.Outcome;
import org.hypergraft.vmm.machine.Stop;

/**
 * Lets gdb attach to a guest. It listens from its construction on; one debugger at a time. A
 * debugger that only looks changes neither instruction counts nor console, since guest time passes
 * with instructions only.
 *
 * <p>A single step goes where the processor goes: into the handler of an exception or interrupt,
 * before its first instruction.
 */
public final class GdbStub implements Observer, AutoCloseable {
  /** Instructions between two looks at whether gdb sent something: some milliseconds. */
  private static final long POLL = 200_000;

  private final ServerSocketChannel server;
  private final boolean wait;
  private GuestControl guest;
  private SocketChannel connection;
  private Session session;
  private Resume.Step step;
  private long steppedFrom;
  private long nextPoll = POLL;

  /**
   * Listens.
   *
   * @param address port 0 for any that is free
   * @param wait whether the guest waits for gdb before its first instruction
   * @throws IOException when the address cannot be had
   */
  public GdbStub(InetSocketAddress address, boolean wait) throws IOException {
    this.wait = wait;
    server = ServerSocketChannel.open();
    try {
      server.bind(address, 1);
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
  }

  /** Where it listens. */
  public InetSocketAddress address() throws IOException {
    return (InetSocketAddress) server.getLocalAddress();
  }

  @Override
  public boolean begin(GuestControl control) {
    guest = control;
    return !wait || accept(true);
  }

  /**
   * Takes a debugger that wants to attach.
   *
   * @param patiently whether to wait for one
   * @return whether the guest is to go on
   */
  private boolean accept(boolean patiently) {
    try {
      server.configureBlocking(patiently);
      connection = server.accept();
      if (connection == null) {
        return true;
      }
      connection.configureBlocking(true);
      connection.setOption(StandardSocketOptions.TCP_NODELAY, true);
      SocketInput in = new SocketInput(connection);
      session = new Session(new PacketStream(in, connection.socket().getOutputStream()), guest);
      return resume(session.converse());
    } catch (IOException e) {
      return lost();
    }
  }

  private boolean resume(Resume how) {
    step = null;
    if (how instanceof Resume.Step one) {
      step = one;
      steppedFrom = guest.cpu(one.cpu()).retired();
    } else if (!(how instanceof Resume.Continue)) {
      detach();
    }
    nextPoll = guest.retired() + POLL;
    return !(how instanceof Resume.Kill);
  }

  private void detach() {
    if (session != null) {
      session.stops().clear();
      session = null;
    }
    try {
      if (connection != null) {
        connection.close();
      }
    } catch (IOException e) {
      // nothing more is wanted of it
    }
    connection = null;
  }

  /** The connection broke: the guest goes on, as if gdb had detached. */
  private boolean lost() {
    detach();
    step = null;
    return true;
  }

  @Override
  public long nextCount(int cpu) {
    return step != null && step.cpu() == cpu ? guest.retired() + 1 : nextPoll;
  }

  @Override
  public boolean stopped(Stop why) {
    if (session == null) {
      nextPoll = guest.retired() + POLL;
      return accept(false);
    }
    if (why instanceof Stop.Breakpoint b) {
      return report(Session.SIGTRAP, session.stops().breakpointReason(b.address()));
    }
    if (why instanceof Stop.Accessed a) {
      return report(Session.SIGTRAP, StopPoints.watchReason(a.range()));
    }
    if (step != null && (why instanceof Stop.Requested || stepDone())) {
      return report(Session.SIGTRAP, "");
    }
    return poll();
  }

  private boolean stepDone() {
    var cpu = guest.cpu(step.cpu());
    return cpu.retired() > steppedFrom && !step.within(cpu.rip);
  }

  @Override
  public boolean idle() {
    return session == null ? accept(false) : poll();
  }

  /** Stops if gdb has sent Ctrl-C. */
  private boolean poll() {
    nextPoll = guest.retired() + POLL;
    try {
      if (!session.stream().pending()) {
        return true;
      }
      PacketStream.Event event = session.stream().read();
      if (event instanceof PacketStream.Interrupt) {
        return report(Session.SIGINT, "");
      }
      return event instanceof PacketStream.Closed ? lost() : true;
    } catch (IOException e) {
      return lost();
    }
  }

  private boolean report(int signal, String reason) {
    try {
      session.stopped(signal, reason);
      return resume(session.converse());
    } catch (IOException e) {
      return lost();
    }
  }

  @Override
  public void delivered(Delivery event) {
    if (step != null && step.cpu() == event.cpu()) {
      guest.requestStop();
    }
  }

  @Override
  public void ended(Outcome outcome, String reason) {
    if (session == null) {
      return;
    }
    boolean died = outcome != Outcome.POWER_OFF && outcome != Outcome.STOPPED;
    try {
      if (died) {
        // a last look; there is nothing to go on to
        session.stopped(Session.SIGABRT, "");
        Resume how = session.converse();
        if (how instanceof Resume.Detach || how instanceof Resume.Kill) {
          detach();
          return;
        }
      }
      session.exited(died ? 1 : 0);
    } catch (IOException e) {
      // gdb has gone, which it may
    }
    detach();
  }

  @Override
  public void close() throws IOException {
    detach();
    server.close();
  }
}
