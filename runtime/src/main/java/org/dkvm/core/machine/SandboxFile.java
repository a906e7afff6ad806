// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

/**
 * A file of the container as the sandbox opens it: links are followed below the root, and none leads out of it.
 *
 * @param root a directory of the sandbox whose name is DKVM's
 * @param path absolute, starting there
 */
public record SandboxFile(String root, String path) {
    public SandboxFile {
        if (!root.startsWith("/") || !path.startsWith("/")) {
            throw new IllegalArgumentException("file \"" + path + "\" in \"" + root + "\" is not absolute");
        }
    }
}
