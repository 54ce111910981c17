/* What stands in for every function of GnuTLS when fnexec is linked statically: libmicrohttpd's
 * archive names them, and calls none but gnutls_global_init() for a listener without TLS, which
 * ours all are. Nobody includes this; packaging/cmake/FnscopeStatic.cmake gives the linker the
 * names. */
__attribute__((used)) int fnexec_no_tls(void);

#define GNUTLS_E_UNIMPLEMENTED_FEATURE (-1250)

/* An error of theirs: a caller that wants TLS after all does not get it. */
int fnexec_no_tls(void)
{
    return GNUTLS_E_UNIMPLEMENTED_FEATURE;
}
