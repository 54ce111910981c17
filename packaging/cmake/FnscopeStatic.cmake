# A program that starts often cannot afford eighteen shared libraries: GnuTLS alone, which libmicrohttpd
# brings though no listener of ours speaks TLS, costs more than all of fnexec's own start. A target given to
# fnscope_link_static() takes these from their archives; TLS functions of libmicrohttpd become fnexec_no_tls()
# (executor/no_tls.c). docs/decisions/0017-fnexec-linked-statically.md
#
# Sets: libraries, what core/base links. Without the archives everything stays shared.
option(FNSCOPE_STATIC_EXECUTOR "link fnexec's libraries statically, so that it starts in milliseconds" ON)

option(FNSCOPE_STATIC_LIBC "link fnexec to libc's archive as well" OFF)

set(static_names microhttpd sqlite3 pcre2-8 yaml crypto jansson)
set(static_archives "")
if(FNSCOPE_STATIC_EXECUTOR)
  foreach(name ${static_names})
    find_library(archive_${name} NAMES lib${name}.a)
    if(NOT archive_${name})
      message(STATUS "fnexec is linked to shared libraries: there is no lib${name}.a")
      set(static_archives "")
      break()
    endif()
    list(APPEND static_archives ${archive_${name}})
  endforeach()
endif()

set(libraries PkgConfig::DEPS)
if(static_archives)
  execute_process(COMMAND ${CMAKE_NM} -u ${archive_microhttpd} OUTPUT_VARIABLE undefined ERROR_QUIET)
  string(REGEX MATCHALL "gnutls_[a-z0-9_]+" tls_functions "${undefined}")
  list(REMOVE_DUPLICATES tls_functions)
  list(TRANSFORM tls_functions REPLACE "(.+)" "-Wl,--defsym=\\1=fnexec_no_tls" OUTPUT_VARIABLE no_tls)
  # The property is that of the program being linked.
  set(is_static "$<BOOL:$<TARGET_PROPERTY:FNSCOPE_LINK_STATIC>>")
  set(libraries "$<${is_static}:${static_archives};${CMAKE_DL_LIBS}>" "$<$<NOT:${is_static}>:PkgConfig::DEPS>")
endif()

function(fnscope_link_static target)
  if(static_archives)
    set_target_properties(${target} PROPERTIES FNSCOPE_LINK_STATIC ON)
    target_link_options(${target} PRIVATE -Wl,--as-needed -Wl,-u,fnexec_no_tls ${no_tls})
    if(FNSCOPE_STATIC_LIBC)
      target_link_options(${target} PRIVATE -static-pie)
    endif()
  endif()
endfunction()
