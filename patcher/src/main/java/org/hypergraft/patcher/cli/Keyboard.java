package org.hypergraft.patcher.cli;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.hypergraft.vmm.machine.SerialPeer;

/**
 * A person at the guest's serial console: each key goes to the guest at once, until {@link #QUIT}
 * or the end of the input. The terminal is in raw mode meanwhile.
 */
final class Keyboard implements SerialPeer, AutoCloseable {
  /** Ctrl-], which ends the run, as in telnet. */
  static final int QUIT = 0x1d;

  /** Real time that a stty command may take. */
  private static final int STTY_SECONDS = 5;

  private final InputStream in;
  private final PrintStream out;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition typed = lock.newCondition();
  private final Thread restorer = new Thread(this::restore);
  private byte[] waiting = {};
  private boolean quit;
  private String savedMode;

  Keyboard(InputStream in, PrintStream out) {
    this.in = in;
    this.out = out;
    savedMode = stty("-g");
    if (savedMode != null) {
      Runtime.getRuntime().addShutdownHook(restorer);
      stty("raw -echo");
    }
    Thread reader = new Thread(this::read, "keyboard");
    reader.setDaemon(true);
    reader.start();
  }

  private void read() {
    byte[] buffer = new byte[256];
    boolean more = true;
    while (more) {
      int n;
      try {
        n = in.read(buffer);
      } catch (IOException e) {
        n = -1; // as good as the end of the input
      }
      more = take(buffer, n);
    }
  }

  private boolean take(byte[] buffer, int n) {
    lock.lock();
    try {
      int keys = 0;
      while (keys < n && buffer[keys] != QUIT) {
        keys++;
      }
      int old = waiting.length;
      waiting = Arrays.copyOf(waiting, old + keys);
      System.arraycopy(buffer, 0, waiting, old, keys);
      quit = keys < n || n < 0;
      typed.signalAll();
      return !quit;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void received(int b) {
    out.write(b);
    if (b == '\n') {
      out.flush();
    }
  }

  @Override
  public byte[] type() {
    lock.lock();
    try {
      byte[] keys = waiting;
      waiting = new byte[0];
      return keys;
    } finally {
      lock.unlock();
    }
  }

  /** The end of a piped input does not end the session: the guest still works on it. */
  @Override
  public boolean hungUp() {
    lock.lock();
    try {
      return quit && savedMode != null;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean live() {
    return true;
  }

  @Override
  public void await(long ns) {
    out.flush();
    lock.lock();
    try {
      long left = ns;
      while (left > 0 && waiting.length == 0 && !quit) {
        left = typed.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    out.flush();
    if (savedMode != null) {
      restore();
      Runtime.getRuntime().removeShutdownHook(restorer);
    }
  }

  private void restore() {
    stty(savedMode);
  }

  /** What stty prints, or null where the input is no terminal. */
  private static String stty(String arguments) {
    try {
      Process p =
          new ProcessBuilder("sh", "-c", "exec stty " + arguments)
              .redirectInput(new File("/dev/tty"))
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String said = new String(p.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      boolean ok = p.waitFor(STTY_SECONDS, TimeUnit.SECONDS) && p.exitValue() == 0;
      return ok && System.console() != null ? said.strip() : null;
    } catch (IOException e) {
      return null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }
}
