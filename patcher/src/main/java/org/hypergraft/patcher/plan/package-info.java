/**
 * Decides what every patchable site becomes: reviewable data, nothing is written here.
 *
 * <p>Facts (what is known about the environment) go through rules (what this kernel's own patching
 * code does with them) into a plan.
 */
package org.hypergraft.patcher.plan;
