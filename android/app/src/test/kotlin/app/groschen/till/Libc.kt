package app.groschen.till

import com.sun.jna.Library
import com.sun.jna.Native

/** The library that every machine has: shows that native code is reached. */
internal interface Libc : Library {
    fun getpid(): Int
}

internal fun pidByNativeCode(): Long = Native.load("c", Libc::class.java).getpid().toLong()
