/** The SDK for the account API of ProxyMesh. */
@NullMarked
package com.proxymesh;

import org.jspecify.annotations.NullMarked;
