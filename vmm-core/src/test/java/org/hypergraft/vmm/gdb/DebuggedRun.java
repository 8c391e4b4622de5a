package org.hypergraft.vmm.gdb;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.hypergraft.vmm.machine.Machine;
import org.hypergraft.vmm.machine.MachineConfig;
import org.hypergraft.vmm.machine.RunReport;

/** A machine that runs on a thread of its own and waits for a debugger. */
final class DebuggedRun implements AutoCloseable {
  private static final int LIMIT_SECONDS = 120;

  private final GdbStub stub;
  private final CompletableFuture<RunReport> report = new CompletableFuture<>();

  DebuggedRun(MachineConfig.Builder config, boolean wait) throws IOException {
    stub = new GdbStub(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), wait);
    MachineConfig observed = config.observer(stub).build();
    Thread thread =
        new Thread(
            () -> {
              try (Machine machine = new Machine(observed)) {
                report.complete(machine.run());
              } catch (RuntimeException | Error e) {
                report.completeExceptionally(e);
              }
            },
            "debugged machine");
    thread.setDaemon(true);
    thread.start();
  }

  InetSocketAddress address() throws IOException {
    return stub.address();
  }

  /** Waits for the end of the run. */
  RunReport report() throws InterruptedException, ExecutionException, TimeoutException {
    return report.get(LIMIT_SECONDS, TimeUnit.SECONDS);
  }

  @Override
  public void close() throws IOException {
    stub.close();
  }
}
