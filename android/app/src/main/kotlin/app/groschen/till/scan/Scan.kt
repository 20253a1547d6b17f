package app.groschen.till.scan

/** How scanning stands. */
sealed interface Scan {
    /** Nobody scans. */
    data object Off : Scan

    /** The camera is open or opening; [light] is null where it has no lamp, [read] says how many different codes it saw. */
    data class On(val light: Boolean? = null, val read: Int = 0) : Scan

    /** It cannot be done now. */
    data class Not(val why: NoScan) : Scan
}

/** Why nothing can be scanned. */
enum class NoScan {
    /** The permission was refused this time. */
    REFUSED,

    /** It was refused, and Android asks no more. */
    BARRED,

    /** This phone has no camera. */
    MISSING,

    /** Its camera does not open. */
    FAILED,
}
