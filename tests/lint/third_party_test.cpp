// The libraries we link together must not answer for each other: libparquet carries its own OpenSSL and simdjson
// (scripts/hide_symbols.py). Each case calls into one of them and checks that its own library answers.
#include <arrow/api.h>
#include <arrow/io/api.h>
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <parquet/arrow/writer.h>
#include <simdjson.h>

#include <memory>
#include <string>
#include <string_view>

namespace {

std::string library_of(const char* symbol) {
  void* address = dlsym(RTLD_DEFAULT, symbol);
  Dl_info info{};
  return address != nullptr && dladdr(address, &info) != 0 ? info.dli_fname : "";
}

std::shared_ptr<arrow::Table> one_number() {
  arrow::Int64Builder builder;
  if (!builder.Append(3).ok()) return nullptr;
  return arrow::Table::Make(arrow::schema({arrow::field("x", arrow::int64())}), {builder.Finish().ValueOrDie()});
}

arrow::Status write(const parquet::WriterProperties& properties) {
  const auto out = arrow::io::BufferOutputStream::Create().ValueOrDie();
  return parquet::arrow::WriteTable(*one_number(), arrow::default_memory_pool(), out, 1,
                                    std::make_shared<parquet::WriterProperties>(properties));
}

}  // namespace

TEST_CASE("OpenSSL's symbols come from Debian's libcrypto, in the version of its headers") {
  CHECK(library_of("EVP_sha256").find("libcrypto.so") != std::string::npos);
  CHECK(OPENSSL_version_major() == OPENSSL_VERSION_MAJOR);
}

TEST_CASE("SHA-256 of abc is right while libparquet is loaded") {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  REQUIRE(EVP_Digest("abc", 3, digest, &size, EVP_sha256(), nullptr) == 1);
  CHECK(size == 32);
  CHECK(digest[0] == 0xba);
  CHECK(digest[31] == 0xad);
}

TEST_CASE("simdjson parses while libparquet is loaded") {
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  REQUIRE(parser.parse(std::string_view(R"({"price": 0.25})")).get(element) == simdjson::SUCCESS);
  CHECK(double(element["price"]) == 0.25);
}

TEST_CASE("Parquet writes zstd pages with checksums") {
  parquet::WriterProperties::Builder builder;
  builder.compression(arrow::Compression::ZSTD)->enable_page_checksum();
  CHECK(write(*builder.build()).ok());
}
