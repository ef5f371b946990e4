# Writes a C++ source that carries files: cmake -DOUT=… -DFILES=path=file,… -P this.
# The source defines otpd::gateway::static_files().
set(arrays "")
set(rows "")
set(index 0)
string(REPLACE "," ";" pairs "${FILES}")
foreach(pair IN LISTS pairs)
  string(REGEX MATCH "^([^=]+)=(.+)$" _ "${pair}")
  set(path ${CMAKE_MATCH_1})
  file(READ ${CMAKE_MATCH_2} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
  string(REGEX REPLACE "(('..[0-9a-f][0-9a-f]',){16})" "\\1\n  " bytes "${bytes}")
  string(APPEND arrays "constexpr char k_file_${index}[] = {\n  ${bytes}};\n")
  string(APPEND rows "  {\"${path}\", {k_file_${index}, sizeof k_file_${index}}},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUT} "#include \"gateway/static_files.h\"

namespace otpd::gateway {
namespace {

${arrays}
constexpr StaticFile k_files[] = {
${rows}};

}  // namespace

std::span<const StaticFile> static_files() { return k_files; }

}  // namespace otpd::gateway
")
