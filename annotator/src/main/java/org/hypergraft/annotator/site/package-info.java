/**
 * The kernel's own annotation tables: one reader per table, each of which proves the table's layout
 * on the bytes of the image before anything relies on it.
 *
 * <p>Readers hold primitive columns, since a kernel has hundreds of thousands of entries; {@link
 * org.hypergraft.annotator.site.Site} is the object form for listings.
 */
package org.hypergraft.annotator.site;
