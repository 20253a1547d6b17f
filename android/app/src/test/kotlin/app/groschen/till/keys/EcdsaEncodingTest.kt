package app.groschen.till.keys

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test
import java.security.KeyPairGenerator
import java.security.Signature
import java.security.interfaces.ECPublicKey
import java.security.spec.ECGenParameterSpec

class EcdsaEncodingTest {
    private fun der(r: ByteArray, s: ByteArray): ByteArray =
        byteArrayOf(0x30, (r.size + s.size + 4).toByte(), 2, r.size.toByte()) + r + byteArrayOf(2, s.size.toByte()) + s

    @Test
    fun `short numbers are filled up and the sign byte of long ones goes`() {
        val long = byteArrayOf(0) + ByteArray(32) { -1 }
        val raw = EcdsaEncoding.rawSignature(der(byteArrayOf(5), long))
        assertArrayEquals(ByteArray(31) + byteArrayOf(5) + ByteArray(32) { -1 }, raw)
    }

    @Test
    fun `signatures and keys keep their value, whatever their length in DER`() {
        val pair = KeyPairGenerator.getInstance("EC").apply { initialize(ECGenParameterSpec("secp256r1")) }.generateKeyPair()
        // Java's own encoding of r || s is the judge.
        val judge = Signature.getInstance("SHA256withECDSAinP1363Format")
        repeat(300) { i ->
            val message = byteArrayOf(i.toByte())
            val signature = Signature.getInstance("SHA256withECDSA").run {
                initSign(pair.private)
                update(message)
                sign()
            }
            judge.initVerify(pair.public)
            judge.update(message)
            assertEquals(true, judge.verify(EcdsaEncoding.rawSignature(signature)))
        }
        val key = EcdsaEncoding.publicKey(pair.public as ECPublicKey)
        assertEquals(65, key.size)
        // SubjectPublicKeyInfo ends with the same point.
        assertArrayEquals(pair.public.encoded.takeLast(65).toByteArray(), key)
    }

    @Test
    fun `what is no signature is refused`() {
        val good = der(byteArrayOf(5), byteArrayOf(7))
        val bad = listOf(
            ByteArray(0),
            good.copyOf(good.size - 1),
            good + 0,
            good.clone().apply { this[0] = 0x31 },
            good.clone().apply { this[3] = 0x7F },
            good.clone().apply { this[3] = -1 },
            der(byteArrayOf(-5), byteArrayOf(7)),
            der(ByteArray(34) { 1 }, byteArrayOf(7)),
            ByteArray(200),
        )
        for (der in bad) assertThrows(IllegalArgumentException::class.java) { EcdsaEncoding.rawSignature(der) }
    }
}
