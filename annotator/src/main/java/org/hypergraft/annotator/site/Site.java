package org.hypergraft.annotator.site;

/**
 * A place in the code that some table annotates.
 *
 * @param address link address
 * @param length bytes that may change
 * @param table name of the table
 * @param operation what the site does, or why it may change: {@code irq.save_fl}, {@code
 *     feature.!XENPV}, {@code lock}, {@code return}; several joined by a comma when a table has
 *     several entries for it
 * @param symbol function and offset, empty when unknown
 * @param bytes what is there now
 */
@SuppressWarnings("ArrayRecordComponent") // a listing row; its bytes are a copy
public record Site(
    long address, int length, String table, String operation, String symbol, byte[] bytes) {}
