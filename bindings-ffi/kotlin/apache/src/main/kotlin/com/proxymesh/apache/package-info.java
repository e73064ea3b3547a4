/** Sends the requests of Apache HttpClient through a ProxyMesh proxy. */
@NullMarked
package com.proxymesh.apache;

import org.jspecify.annotations.NullMarked;
