/** An emulation of the ProxyMesh service, for tests. */
@NullMarked
package com.proxymesh.testing;

import org.jspecify.annotations.NullMarked;
