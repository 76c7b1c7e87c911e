#include "app/report/svg.hpp"

#include <fmt/format.h>

#include <cmath>

namespace everlearn {
namespace {

// A tenth of a pixel is as near as anyone looks.
std::string place(double value) {
  std::string text = fmt::format("{:.1f}", std::isfinite(value) ? value : 0.0);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

std::string places(const std::vector<Svg::Point>& points) {
  std::string out;
  for (const Svg::Point& point : points)
    out += fmt::format("{}{},{}", out.empty() ? "" : " ", place(point.x), place(point.y));
  return out;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        // Control characters are not allowed in a document.
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

Svg::Svg(double width, double height, std::string_view label) : width_{width}, height_{height} {
  body_ = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", place(width), place(height),
                      escaped(label));
}

void Svg::close(std::string_view element, std::string_view title) {
  body_ += title.empty() ? "/>\n" : fmt::format("><title>{}</title></{}>\n", escaped(title), element);
}

void Svg::line(Point a, Point b, std::string_view look) {
  body_ += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" class=\"{}\"/>\n", place(a.x), place(a.y),
                       place(b.x), place(b.y), escaped(look));
}

void Svg::rect(Point corner, double width, double height, std::string_view look, std::string_view title) {
  body_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" class=\"{}\"", place(corner.x),
                       place(corner.y), place(width), place(height), escaped(look));
  close("rect", title);
}

void Svg::circle(Point centre, double radius, std::string_view look, std::string_view title) {
  body_ += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" class=\"{}\"", place(centre.x), place(centre.y),
                       place(radius), escaped(look));
  close("circle", title);
}

void Svg::cross(Point centre, double radius, std::string_view look, std::string_view title) {
  const double x = centre.x, y = centre.y, r = radius;
  body_ += fmt::format("<path d=\"M{} {}L{} {}M{} {}L{} {}\" class=\"{}\"", place(x - r), place(y - r), place(x + r),
                       place(y + r), place(x - r), place(y + r), place(x + r), place(y - r), escaped(look));
  close("path", title);
}

void Svg::path(const std::vector<Point>& points, std::string_view look) {
  if (!points.empty()) body_ += fmt::format("<polyline points=\"{}\" class=\"{}\"/>\n", places(points), escaped(look));
}

void Svg::area(const std::vector<Point>& points, std::string_view look) {
  if (!points.empty()) body_ += fmt::format("<polygon points=\"{}\" class=\"{}\"/>\n", places(points), escaped(look));
}

void Svg::text(Point at, Anchor anchor, std::string_view text, std::string_view look) {
  const char* const side = anchor == Anchor::Start ? "start" : anchor == Anchor::Middle ? "middle" : "end";
  body_ += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"{}\"{}>{}</text>\n", place(at.x), place(at.y), side,
                       look.empty() ? "" : fmt::format(" class=\"{}\"", escaped(look)), escaped(text));
}

std::string Svg::markup() const { return body_ + "</svg>\n"; }

}  // namespace everlearn
