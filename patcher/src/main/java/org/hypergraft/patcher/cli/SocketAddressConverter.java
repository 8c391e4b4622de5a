package org.hypergraft.patcher.cli;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code PORT} on this machine only, or {@code HOST:PORT}. */
final class SocketAddressConverter implements ITypeConverter<InetSocketAddress> {
  private static final int MAX_PORT = 65_535;

  @Override
  public InetSocketAddress convert(String value) {
    int colon = value.lastIndexOf(':');
    String host = colon < 0 ? "" : value.substring(0, colon);
    int port;
    try {
      port = Integer.parseInt(value.substring(colon + 1));
    } catch (NumberFormatException e) {
      port = -1;
    }
    if (port < 0 || port > MAX_PORT) {
      throw new TypeConversionException(
          "'" + value + "' is not a port from 0 to 65535 such as 1234, nor HOST:PORT");
    }
    InetSocketAddress address =
        host.isEmpty()
            ? new InetSocketAddress(InetAddress.getLoopbackAddress(), port)
            : new InetSocketAddress(host, port);
    if (address.isUnresolved()) {
      throw new TypeConversionException("'" + value + "': there is no host '" + host + "'");
    }
    return address;
  }
}
