/** What a boot decided about its own code: written by the machine, read by the patcher. */
package org.hypergraft.annotator.profile;
