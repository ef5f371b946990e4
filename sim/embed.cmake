# Turns files into a .cc that defines web_files() of web_files.h.
# cmake -DOUT=… -DFILES=a;b -P embed.cmake
set(bodies "")
set(rows "")
set(index 0)
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  get_filename_component(extension ${file} EXT)
  if(extension STREQUAL ".html")
    set(type "text/html; charset=utf-8")
  elseif(extension STREQUAL ".js")
    set(type "text/javascript; charset=utf-8")
  elseif(extension STREQUAL ".css")
    set(type "text/css; charset=utf-8")
  elseif(extension STREQUAL ".svg")
    set(type "image/svg+xml")
  else()
    message(FATAL_ERROR "no content type for ${name}")
  endif()
  if(name STREQUAL "index.html")
    set(path "/")
  else()
    set(path "/${name}")
  endif()
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n    " hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  string(APPEND bodies "constexpr unsigned char k_bytes_${index}[] = {\n    ${hex}0};\n")
  string(APPEND rows "      {\"${path}\", \"${type}\",\n"
    "       {reinterpret_cast<const char*>(k_bytes_${index}), sizeof k_bytes_${index} - 1}},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUT} "#include \"web_files.h\"

namespace otpd::sim {
namespace {

${bodies}
}  // namespace

std::span<const WebFile> web_files() {
  static const WebFile k_files[] = {
${rows}  };
  return k_files;
}

}  // namespace otpd::sim
")
