/** The emulated service of ProxyMesh, for tests. */
@NullMarked
package com.proxymesh.testing;

import org.jspecify.annotations.NullMarked;
