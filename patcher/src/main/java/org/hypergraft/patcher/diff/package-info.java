/** What differs between two images of one kernel, site by site. */
package org.hypergraft.patcher.diff;
