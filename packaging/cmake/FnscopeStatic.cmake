# A program that starts often cannot afford a dozen shared libraries. A target given to fnscope_link_static()
# takes these from their archives. docs/decisions/0017-fnexec-linked-statically.md
#
# Sets: libraries, what core/base links. Without the archives everything stays shared.
option(FNSCOPE_STATIC_EXECUTOR "link fnexec's libraries statically, so that it starts in milliseconds" ON)

option(FNSCOPE_STATIC_LIBC "link fnexec to libc's archive as well" OFF)

set(static_names sqlite3 pcre2-8 yaml crypto jansson)
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
  # The property is that of the program being linked.
  set(is_static "$<BOOL:$<TARGET_PROPERTY:FNSCOPE_LINK_STATIC>>")
  set(libraries "$<${is_static}:${static_archives};${CMAKE_DL_LIBS}>" "$<$<NOT:${is_static}>:PkgConfig::DEPS>")
endif()

function(fnscope_link_static target)
  if(static_archives)
    set_target_properties(${target} PROPERTIES FNSCOPE_LINK_STATIC ON)
    target_link_options(${target} PRIVATE -Wl,--as-needed)
    if(FNSCOPE_STATIC_LIBC)
      target_link_options(${target} PRIVATE -static-pie -Wl,-z,pack-relative-relocs)
    endif()
  endif()
endfunction()
