# Writes the built-in profiles into a source file: the program carries them, wherever it is installed.
function(embed_profiles output)
  file(GLOB profiles CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/profiles/*.toml)
  list(SORT profiles)
  set(entries "")
  foreach(profile ${profiles})
    get_filename_component(name ${profile} NAME_WE)
    file(READ ${profile} text)
    string(APPEND entries "      {\"${name}\", R\"toml(${text})toml\"},\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${profile})
  endforeach()
  file(
    CONFIGURE
    OUTPUT ${output}
    CONTENT "#include \"app/config/config.hpp\"

namespace everlearn {

const std::vector<std::pair<std::string, std::string>>& built_in_profiles() {
  static const std::vector<std::pair<std::string, std::string>> profiles{
@entries@  };
  return profiles;
}

}  // namespace everlearn
"
    @ONLY)
endfunction()
