package app.groschen.core

/**
 * The core's native library.
 *
 * Java has to load it itself, before JNA opens it: only then is the library told of the Java machine, to which its threads are attached once instead of
 * at every call. It lies beside the bindings, because a native library belongs to the class loader that loaded it.
 */
object Library {
    /** Loads it; a second time does nothing. */
    fun load() = System.loadLibrary("core_ffi")
}
